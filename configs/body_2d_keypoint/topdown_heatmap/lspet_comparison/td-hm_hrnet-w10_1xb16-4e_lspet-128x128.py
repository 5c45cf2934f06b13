# HRNet-W32 at 10 instead of 32 channels, and 32 instead of 64 in its first
# stage: 0.35 G multiply-adds.
_base_ = ['./td-hm_hg1-w128_1xb16-4e_lspet-128x128.py']

param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=5e-4,
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
        type='HRNet',
        in_channels=3,
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=1,
                block='BOTTLENECK',
                num_blocks=(4, ),
                num_channels=(32, )),
            stage2=dict(
                num_modules=1,
                num_branches=2,
                block='BASIC',
                num_blocks=(4, 4),
                num_channels=(10, 20)),
            stage3=dict(
                num_modules=4,
                num_branches=3,
                block='BASIC',
                num_blocks=(4, 4, 4),
                num_channels=(10, 20, 40)),
            stage4=dict(
                num_modules=3,
                num_branches=4,
                block='BASIC',
                num_blocks=(4, 4, 4, 4),
                num_channels=(10, 20, 40, 80)))),
    head=dict(
        _delete_=True,
        type='HeatmapHead',
        in_channels=10,
        out_channels=14,
        deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec))
