# Two stacks and thirty epochs: the weights that come with the package
# (hourglass_plugin/weights).
_base_ = ['./hg1_128x128.py']

max_epochs = 30
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1.5e-3,
        total_steps=max_epochs,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

model = dict(backbone=dict(num_stacks=2))
