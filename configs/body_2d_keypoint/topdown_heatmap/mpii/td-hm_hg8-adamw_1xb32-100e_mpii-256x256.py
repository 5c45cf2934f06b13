# The paper's final network with a modern recipe.
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
        # A joint that is not annotated may be anywhere: later networks ignore
        # it, too.
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
