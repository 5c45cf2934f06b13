# MPII at 256x256: 22,246 people to train, Tompson's 2,958 to validate, from
#     python tools/prepare_mpii.py DOWNLOADS --out data/mpii
_base_ = ['./loaders.py']

dataset_type = 'MPIIDataset'
data_root = 'data/mpii/'

codec = dict(type='MPIIHeatmap', input_size=(256, 256), heatmap_size=(64, 64))

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', direction='horizontal'),
    # As the paper's Torch code draws them, wider than the paper says; what the
    # paper says is PaperScaleRotation without RandomChannelGain.
    dict(type='TorchCodeScaleRotation'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/mpii_val.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
