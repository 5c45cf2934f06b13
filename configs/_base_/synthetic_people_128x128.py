# The embedded data set at 128x128: drawn people with MPII's 16 joints, from
#     python tools/generate_synthetic_people.py --out data/synthetic_people
_base_ = ['./loaders.py']

dataset_type = 'MPIIDataset'
data_root = 'data/synthetic_people/'

codec = dict(
    type='MPIIHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    targets='keypoints')

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomMirror'),
    # The generator turns and scales people and changes the light by itself.
    dict(type='PaperScaleRotation'),
    dict(
        type='CropPerson',
        input_size=codec['input_size'],
        reduced_decoding=True),
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
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/mpii_val.json',
        headbox_file='annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
