# Two stacks and thirty epochs: the weights that come with the package
# (hourglass_plugin/weights).
_base_ = ['./td-hm_hg1-w128_1xb16-12e_lspet-128x128.py']

train_cfg = dict(max_epochs=30, val_interval=5)

model = dict(backbone=dict(num_stacks=2))
