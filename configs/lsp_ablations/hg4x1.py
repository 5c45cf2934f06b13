# What the others differ from: 4 stacks, 1 residual module at each place, 64
# channels.
_base_ = ['../_base_/lsp_study.py']

max_epochs = 2
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [dict(_base_.param_scheduler[0], total_steps=max_epochs)]

model = dict(backbone=dict(num_stacks=4, feat_channels=64))
