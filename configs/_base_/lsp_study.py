# Networks beside one another on Leeds Sports Pose Extended at 128x128: the
# crops, augmentation, targets, optimiser and schedule that all of them share.
_base_ = [
    './default_runtime.py',
    './models/hg1_half_width.py',
    './datasets/lspet_128x128.py',
]

max_epochs = 4
train_cfg = dict(
    type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=1)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1.5e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))

model = dict(
    backbone=dict(num_keypoints=14),
    head=dict(
        out_channels=14,
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
