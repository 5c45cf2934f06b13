# The paper's final network and recipe on MPII.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/mpii_256x256.py',
    '../../../_base_/schedules/paper_220e.py',
]

train_dataloader = dict(batch_size=6)

# How long accuracy must stay where it is before the learning rate falls is not
# in the paper, whose authors watched it.
param_scheduler = [
    dict(
        type='ReduceOnPlateauLR',
        monitor='mpii/PCKh@0.5',
        rule='greater',
        factor=0.2,
        patience=8,
        min_value=1e-6,
        # For good, also if training continues for more epochs than this.
        end=10**9)
]
default_hooks = dict(
    checkpoint=dict(save_best='mpii/PCKh@0.5', rule='greater'))

model = dict(
    backbone=dict(num_keypoints=16),
    head=dict(out_channels=16, decoder=_base_.codec))
