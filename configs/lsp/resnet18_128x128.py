# What MMPose offers for the same job: ResNet-18 with its heatmap head, from
# scratch, with the data, the time and the optimiser of hg1_128x128.py. Here to
# compare with.
_base_ = ['./hg1_128x128.py']

# Slower than hg1_128x128.py per image: as many epochs as fit the same time.
max_epochs = 7
train_cfg = dict(max_epochs=max_epochs, val_interval=7)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1.5e-3,
        total_steps=max_epochs,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

# MMPose's own target and decoding, with sub-pixel refinement too.
codec = dict(
    type='MSRAHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    sigma=1,
    unbiased=True,
    blur_kernel_size=3)
train_pipeline = _base_.train_pipeline
train_pipeline[-2] = dict(type='GenerateTarget', encoder=codec)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

model = dict(
    backbone=dict(_delete_=True, type='ResNet', depth=18),
    head=dict(
        _delete_=True,
        type='HeatmapHead',
        in_channels=512,
        out_channels=14,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=codec),
    test_cfg=dict(shift_heatmap=True))
