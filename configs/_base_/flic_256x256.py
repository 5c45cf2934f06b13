# FLIC at 256x256: 3,987 people to train, 1,016 to test, observer-centric, from
#     python tools/prepare_flic.py DOWNLOADS --out data/flic
_base_ = ['./loaders.py']

dataset_type = 'FLICDataset'
data_root = 'data/flic/'

codec = dict(type='FLICHeatmap', input_size=(256, 256), heatmap_size=(64, 64))

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    # Observer-centric labels mirror as person-centric ones do: what is on the
    # image's left comes to its right.
    dict(type='RandomFlip', direction='horizontal'),
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
        ann_file='annotations/flic_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/flic_test.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric')
test_evaluator = val_evaluator
