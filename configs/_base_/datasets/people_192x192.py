# People in images at 192x192, MPII's 16 joints: MPII, COCO and Leeds
# Sports Pose Extended together, below data/. Keypoints that a set does not
# annotate have no weight in the loss.
data_mode = 'topdown'
dataset_type = 'HourglassMPIIDataset'  # of validation and test

codec = dict(
    type='MPIIHeatmap',
    input_size=(192, 192),
    heatmap_size=(48, 48),
    refinement='subpixel',
    # Loader processes send keypoints; heatmaps are drawn on the device.
    encode_on_device=True)

mpii = dict(
    type='HourglassMPIIDataset',
    data_root='data/mpii_photos/',
    ann_file='mpii_train.json',
    data_prefix=dict(img='images/'),
    pipeline=[])
coco = dict(
    type='CocoDataset',
    data_mode='topdown',
    data_root='data/coco_people/',
    ann_file='person_keypoints_train.json',
    data_prefix=dict(img='images/'),
    pipeline=[
        dict(
            type='KeypointConverter',
            num_keypoints=16,
            mapping=[(16, 0), (14, 1), (12, 2), (11, 3), (13, 4), (15, 5),
                     (10, 10), (8, 11), (6, 12), (5, 13), (7, 14), (9, 15)])
    ])
lspet = dict(
    type='HourglassLSPDataset',
    data_root='data/lspet/',
    ann_file='lspet_train.json',
    data_prefix=dict(img='images/'),
    pipeline=[
        dict(
            type='KeypointConverter',
            num_keypoints=16,
            mapping=[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10),
                     (7, 11), (8, 12), (9, 13), (10, 14), (11, 15), (12, 8),
                     (13, 9)])
    ])

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHalfBody', prob=0.2),
    dict(type='RandomHorizontalFlip'),
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
    num_workers=1,
    persistent_workers=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='SeededSampler', shuffle=True),
    dataset=dict(
        type='CombinedDataset',
        metainfo=__import__(
            'hourglass_plugin.skeletons').skeletons.MPII.metainfo(),
        # MPII's people are a quarter of Leeds', and the best annotated.
        datasets=[
            dict(type='RepeatDataset', times=2, dataset=mpii), coco, lspet
        ],
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root='data/mpii_photos/',
        ann_file='mpii_val.json',
        data_prefix=dict(img='images/'),
        headbox_file='../mpii_annotations/mpii_gt_val.mat',
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
