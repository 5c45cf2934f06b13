# WFLW's 98 keypoints of a face: 4 stacks and adaptive wing loss, as in the
# paper of that loss (Wang, Bo and Fuxin, ICCV 2019).
_base_ = [
    'mmpose::face_2d_keypoint/topdown_heatmap/wflw/'
    'td-hm_hrnetv2-w18_awing-8xb64-60e_wflw-256x256.py'
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
        type='StackedHourglass', num_stacks=4, num_keypoints=98),
    head=dict(
        type='MultiStageHeatmapHead',
        out_channels=98,
        loss=dict(type='AdaptiveWingLoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(flip_test=True))
default_hooks = dict(config_check=dict(type='ConfigCheckHook'))
