# The paper's final network with a recipe of today.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/mpii_256x256.py',
    '../../../_base_/schedules/adamw_100e.py',
]

train_dataloader = dict(batch_size=32, num_workers=8)
default_hooks = dict(
    checkpoint=dict(save_best='mpii/PCKh@0.5', rule='greater'))

model = dict(
    backbone=dict(num_keypoints=16),
    head=dict(
        out_channels=16,
        # A joint that nobody could see may be anywhere: most networks since
        # then do not learn that it is nowhere.
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
