# The paper's network: 8 stacks, each of which sees the predictions of the one
# before.
model = dict(
    type='HourglassPoseEstimator',
    # The paper's input: RGB in [0, 1].
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        non_blocking=True,  # batches are in pinned memory
        mean=[0, 0, 0],
        std=[255, 255, 255],
        bgr_to_rgb=True),
    backbone=dict(type='StackedHourglass', num_stacks=8),
    head=dict(
        type='MultiStageHeatmapHead',
        # Keypoints without annotation are empty heatmaps, as in the paper;
        # with use_target_weight=True they are ignored.
        loss=dict(type='KeypointMSELoss', use_target_weight=False)),
    # Average of image and flipped image, as in the paper; every stack is
    # scored, so that one evaluation compares them.
    test_cfg=dict(flip_test=True, eval_all_stacks=True))
