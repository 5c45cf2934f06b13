# SimpleBaseline: MMPose's ResNet-50 and HeatmapHead, at 28 instead of 64 and
# 96 instead of 256 channels: 0.34 G multiply-adds.
_base_ = ['./td-hm_hg1-w128_1xb16-4e_lspet-128x128.py']

param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=4.5e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

codec = dict(
    type='LSPHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    refinement='subpixel',
    # MMPose's head gets the same heatmaps, drawn by the loader processes.
    encode_on_device=False)

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        stem_channels=28,
        base_channels=28),
    head=dict(
        _delete_=True,
        type='HeatmapHead',
        in_channels=896,
        out_channels=14,
        deconv_out_channels=(96, 96, 96),
        deconv_kernel_sizes=(4, 4, 4),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec))
