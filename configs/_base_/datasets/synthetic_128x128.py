# Drawn people with MPII's 16 joints at 128x128, from
# python tools/synthetic_data/generate.py people --out data/synthetic_people
dataset_type = 'HourglassMPIIDataset'
dataset = dict(
    type=dataset_type,
    data_root='data/synthetic_people/',
    data_prefix=dict(img='images/'))
# For MMPose's inferencers.
data_mode = 'topdown'

codec = dict(
    type='MPIIHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    # Loader processes send keypoints; heatmaps are drawn on the device.
    encode_on_device=True)

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHorizontalFlip'),
    # No rotation, scale and colours: the generator draws enough of them.
    dict(
        type='TopdownCrop',
        input_size=codec['input_size'],
        reduced_decoding=True),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownCrop', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    # Loader processes send one uint8 tensor a batch, which becomes floating
    # point on the device.
    collate_fn=dict(type='default_collate'),
    # Augmentation follows from seed, epoch and position, not from the number
    # of workers; with SeedAugmentation in the pipeline.
    sampler=dict(type='SeededSampler', shuffle=True),
    dataset=dict(
        dataset,
        ann_file='annotations/mpii_train.json',
        pipeline=train_pipeline))
# Without collate_fn, which a runner wants as a dict and MMPose's inferencers
# as a name.
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        dataset,
        ann_file='annotations/mpii_val.json',
        headbox_file='annotations/mpii_gt_val.mat',
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
