# COCO-WholeBody's 21 keypoints of a hand: MMPose's data and schedule.
_base_ = [
    'mmpose::hand_2d_keypoint/topdown_heatmap/coco_wholebody_hand/'
    'td-hm_hourglass52_8xb32-210e_coco-wholebody-hand-256x256.py'
]
from hourglass_plugin import with_codec  # noqa: E402

custom_imports = dict(
    imports=['hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints'])

codec = dict(
    type='HourglassHeatmap', input_size=(256, 256), heatmap_size=(64, 64))
train_pipeline = with_codec(_base_.train_pipeline, codec)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

model = dict(
    _delete_=True,
    type='HourglassPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        non_blocking=True,
        mean=[0, 0, 0],
        std=[255, 255, 255],
        bgr_to_rgb=True),
    backbone=dict(
        type='StackedHourglass', num_stacks=2, num_keypoints=21),
    head=dict(
        type='MultiStageHeatmapHead',
        out_channels=21,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(flip_test=True))
default_hooks = dict(config_check=dict(type='ConfigCheckHook'))
