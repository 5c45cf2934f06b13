# Leeds Sports Pose Extended at 128x128: 7,993 people to train, 998 to
# validate, as MPII-style JSON below data/lspet.
_base_ = ['./loaders.py']

dataset_type = 'LSPDataset'
data_root = 'data/lspet/'

codec = dict(
    type='LSPHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    # At 4 pixels a cell a quarter cell is coarse beside PCK@0.1.
    refinement='subpixel',
    targets='keypoints')

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomMirror'),
    dict(type='TorchCodeScaleRotation'),
    dict(
        type='CropPerson',
        input_size=codec['input_size'],
        reduced_decoding=True),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='CropPerson', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='lspet_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='lspet_val.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric', thresholds=[0.2, 0.1])
test_evaluator = val_evaluator
