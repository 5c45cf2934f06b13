# One person at 256x256 after the other, any keypoints: from the photograph to
# the crop, its heatmaps and the batch. Data sets add themselves.
_base_ = ['./loaders.py']

codec = dict(
    type='HourglassHeatmap',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    # Loader processes send keypoints; heatmaps are drawn on the device.
    encode_on_device=True)

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHorizontalFlip'),
    # As the paper's Torch code draws them, wider than the paper says; what the
    # paper says is sampling='paper' without RandomChannelGain.
    dict(type='RandomScaleRotation'),
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
    dataset=dict(data_prefix=dict(img='images/'), pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img='images/'),
        test_mode=True,
        pipeline=val_pipeline))
test_dataloader = val_dataloader
