# The paper's network: 8 stacks that see their own predictions.
model = dict(
    type='HourglassPoseEstimator',
    # The paper's input: RGB in [0, 1].
    data_preprocessor=dict(
        type='HourglassDataPreprocessor',
        mean=[0, 0, 0],
        std=[255, 255, 255],
        bgr_to_rgb=True),
    backbone=dict(type='StackedHourglass', num_stacks=8),
    head=dict(
        type='MultiStageHeatmapHead',
        # Keypoints without annotation are empty heatmaps, as in the paper.
        loss=dict(type='KeypointMSELoss', use_target_weight=False)),
    # Image and mirror image averaged, as in the paper; every stack is scored,
    # so that its halfway comparison falls out of one evaluation.
    test_cfg=dict(flip_test=True, eval_all_stacks=True))
