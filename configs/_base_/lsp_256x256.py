# Leeds Sports Pose at 256x256: 1,000 people and the 10,000 of its extension to
# train, the other 1,000 to test, from
#     python tools/prepare_lsp.py DOWNLOADS --out data/lsp
_base_ = ['./loaders.py']

dataset_type = 'LSPDataset'
data_root = 'data/lsp/'

codec = dict(type='LSPHeatmap', input_size=(256, 256), heatmap_size=(64, 64))

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
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
        ann_file='annotations/lsp_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/lsp_test.json',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric')
test_evaluator = val_evaluator
