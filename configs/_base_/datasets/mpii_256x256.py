# MPII: 22,246 training samples, Tompson's 2,958 for validation, from
#     python tools/dataset_converters/prepare_mpii.py DOWNLOADS --out data/mpii
dataset_type = 'HourglassMPIIDataset'
dataset = dict(
    type=dataset_type,
    data_root='data/mpii/',
    data_prefix=dict(img='images/'))
# For MMPose's inferencers.
data_mode = 'topdown'

codec = dict(
    type='MPIIHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    # Loader processes send keypoints; heatmaps are drawn on the device.
    encode_on_device=True)

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHorizontalFlip'),
    # The paper's Torch code draws wider than the paper says, which is
    # sampling='paper' without RandomChannelGain.
    dict(type='RandomScaleRotation', sampling='lua'),
    dict(
        type='TopdownCrop',
        input_size=codec['input_size'],
        reduced_decoding=True),
    dict(type='RandomChannelGain'),
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
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
