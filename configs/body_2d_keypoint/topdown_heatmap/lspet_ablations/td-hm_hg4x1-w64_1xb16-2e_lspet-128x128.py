# What the others differ from: 4 stacks, 1 residual module at each place, 64
# channels.
_base_ = ['../../../_base_/lsp_study.py']

train_cfg = dict(max_epochs=2)

model = dict(backbone=dict(num_stacks=4, feat_channels=64))
