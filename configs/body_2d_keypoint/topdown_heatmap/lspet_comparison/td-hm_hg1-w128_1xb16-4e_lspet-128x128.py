# One stack of half the paper's width: 0.33 G multiply-adds. The folder's
# other networks share its crops, augmentation, targets, optimizer, schedule.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/lspet_128x128.py',
    '../../../_base_/schedules/adamw_one_cycle.py',
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=4, val_interval=1)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1))

model = dict(
    backbone=dict(num_stacks=1, feat_channels=128, num_keypoints=14),
    head=dict(
        out_channels=14,
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
