# FLIC: 3,987 training samples, 1,016 to test, observer-centric, from
#     python tools/dataset_converters/prepare_flic.py DOWNLOADS --out data/flic
dataset_type = 'HourglassFLICDataset'
dataset = dict(
    type=dataset_type,
    data_root='data/flic/',
    data_prefix=dict(img='images/'))
# For MMPose's inferencers.
data_mode = 'topdown'

codec = dict(
    type='FLICHeatmap',
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
        ann_file='annotations/flic_train.json',
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
        ann_file='annotations/flic_test.json',
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric')
test_evaluator = val_evaluator
