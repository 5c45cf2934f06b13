# One stack of half the paper's width at 128x128: two CPU cores train it in
# half an hour.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/lspet_128x128.py',
    '../../../_base_/schedules/adamw_one_cycle.py',
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=12, val_interval=4)

model = dict(
    backbone=dict(num_stacks=1, feat_channels=128, num_keypoints=14),
    head=dict(
        out_channels=14,
        # Leeds' annotators left out the joints they could not see; an empty
        # heatmap would teach that there is none.
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
