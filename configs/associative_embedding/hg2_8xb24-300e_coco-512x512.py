# Everybody in the image at once: MMPose's bottom-up associative embedding on
# the last of two stacks, which end at the resolution that its HRNet ends at.
# COCO below data/coco, 24 images on each of eight GPUs, 300 epochs.
_base_ = [
    'mmpose::body_2d_keypoint/associative_embedding/coco/'
    'ae_hrnet-w32_8xb24-300e_coco-512x512.py'
]
custom_imports = dict(imports=['hourglass_plugin'])

codec = _base_.codec
model = dict(
    backbone=dict(
        _delete_=True,
        type='StackedHourglass',
        num_stacks=2,
        out_stacks=[-1]),  # the head reads one map
    head=dict(
        in_channels=256,
        keypoint_loss=dict(_delete_=True, type='PeopleMSELoss'),
        # Heatmaps are resized to the image before they are decoded. MMPose's
        # 0.5 is for weights that were trained with other targets.
        decoder=dict(decode_center_shift=0.0)))

# MMPose's own config has none; these are the steps of its other bottom-up
# models.
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='BottomupRandomAffine', input_size=codec['input_size']),
    dict(type='RandomFlip', direction='horizontal'),
    dict(
        type='GenerateTarget',
        encoder=dict(codec, type='TrainableAssociativeEmbedding')),
    dict(type='BottomupGetHeatmapMask'),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
