# The paper's network on Leeds Sports Pose, which the paper did not try, with a
# modern recipe.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/lsp_256x256.py',
    '../../../_base_/schedules/adamw_100e.py',
]

train_dataloader = dict(batch_size=32, num_workers=8)
# There is a test set only: scored once, at the end.
train_cfg = dict(val_interval=100)

model = dict(
    backbone=dict(num_keypoints=14),
    head=dict(
        out_channels=14,
        # The extension's annotators left out the joints they could not see.
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
