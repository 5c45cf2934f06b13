# One stack of half the paper's width: small enough to train on a processor.
custom_hooks = [dict(type='KeepFreedMemoryHook')]

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[0, 0, 0],
        std=[255, 255, 255],
        bgr_to_rgb=True),
    backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=128),
    head=dict(type='MultiStageHeatmapHead'),
    # Image and mirror image averaged, as in the paper.
    test_cfg=dict(flip_test=True))
