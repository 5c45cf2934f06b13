# Your own keypoints in a COCO-style JSON file: two stacks at 256x256.
# docs/custom_dataset.md describes the file and the changes to make here.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/stacked_hourglass.py',
    '../_base_/schedules/adamw_one_cycle.py',
]

# Your data: a folder with annotations/train.json, annotations/val.json and
# images/.
data_root = 'data/custom_dataset/'

# Your keypoints, in the order of the file. `swap` names the keypoint that one
# becomes in the flipped image, in both directions; leave it out where that is
# the keypoint itself. Names that start with left_ and right_ are drawn in two
# colours and share a column of the table.
metainfo = dict(
    dataset_name='custom_dataset',
    keypoint_info={
        0: dict(name='nose'),
        1: dict(name='left_ear', swap='right_ear'),
        2: dict(name='right_ear', swap='left_ear'),
        3: dict(name='tail'),
    },
    # Connected in pictures.
    skeleton_info={
        0: dict(link=('nose', 'left_ear')),
        1: dict(link=('nose', 'right_ear')),
        2: dict(link=('nose', 'tail')),
    },
    # One number per keypoint. MMPose insists on both; neither changes anything
    # here (sigmas are for its CocoMetric).
    joint_weights=[1.0] * 4,
    sigmas=[0.05] * 4)
num_keypoints = len(metainfo['keypoint_info'])

# An epoch sees every annotated object once. A few hundred of them need some
# 100 epochs, ten thousand some 30.
max_epochs = 100
val_interval = 10
train_cfg = dict(
    type='ResumableTrainLoop',
    max_epochs=max_epochs,
    val_interval=val_interval)

codec = dict(
    type='HourglassHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    # Loader processes send keypoints; heatmaps are drawn on the device.
    encode_on_device=True)
model = dict(
    backbone=dict(num_stacks=2, num_keypoints=num_keypoints),
    head=dict(
        out_channels=num_keypoints,
        # Ignore keypoints without annotation: they may still be there.
        loss=dict(use_target_weight=True),
        decoder=codec))

# Augmentation: flip, scale and rotation, colours.
train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHorizontalFlip'),
    dict(
        type='RandomScaleRotation',
        sampling='paper',
        scale_factor=0.25,
        rotation_factor=30),
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

dataset_type = 'CustomKeypointDataset'
dataset = dict(
    type=dataset_type,
    metainfo=metainfo,
    data_root=data_root,
    data_prefix=dict(img='images/'))
# For MMPose's inferencers.
data_mode = 'topdown'

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='SeededSampler', shuffle=True),
    dataset=dict(
        dataset, ann_file='annotations/train.json', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        dataset,
        ann_file='annotations/val.json',
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

# Correct within 0.2, 0.1 and 0.05 of the larger side of the object's box.
val_evaluator = dict(type='BoxPCKMetric')
test_evaluator = val_evaluator

# One cycle: the learning rate rises to eta_max in the first tenth, then falls
# to zero.
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]
