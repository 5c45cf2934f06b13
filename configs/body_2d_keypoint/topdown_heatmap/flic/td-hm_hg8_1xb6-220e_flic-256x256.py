# The paper's final network and recipe on FLIC.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/flic_256x256.py',
    '../../../_base_/schedules/paper_220e.py',
]

train_dataloader = dict(batch_size=6)

# FLIC has no validation set. The learning rate falls after fixed numbers of
# epochs, since to follow the test score would be to tune on the test set.
max_epochs = 220
param_scheduler = [
    dict(type='MultiStepLR', milestones=[150, 190], gamma=0.2, by_epoch=True)
]
train_cfg = dict(val_interval=max_epochs)

model = dict(
    backbone=dict(num_keypoints=11),
    head=dict(out_channels=11, decoder=_base_.codec))
