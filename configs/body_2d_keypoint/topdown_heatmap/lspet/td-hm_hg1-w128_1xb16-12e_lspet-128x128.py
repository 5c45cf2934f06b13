# One stack of half the paper's width at 128x128: what two processor cores
# train in half an hour.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/hg1_half_width.py',
    '../../../_base_/datasets/lspet_128x128.py',
]

max_epochs = 12
train_cfg = dict(
    type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=4)

param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1.5e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

model = dict(
    backbone=dict(num_keypoints=14),
    head=dict(
        out_channels=14,
        # Leeds' annotators left out what they could not see; an empty heatmap
        # would teach that it is not there.
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
