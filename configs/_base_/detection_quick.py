# What trains detectors in minutes on two processor cores: drawn shapes, AdamW
# on one cycle. Each config adds its model.
_base_ = [
    './default_runtime.py', './datasets/synthetic_shapes_127x127.py'
]
custom_imports = dict(
    imports=['hourglass_plugin', 'hourglass_plugin.detectors'])
default_scope = 'mmdet'

visualizer = dict(type='DetLocalVisualizer')
# tools/test.py --show-dir switches it on.
default_hooks = dict(visualization=dict(type='DetVisualizationHook'))

auto_scale_lr = dict(base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', weight_decay=1e-2),
    clip_grad=dict(max_norm=35))

max_epochs = 4
train_cfg = dict(
    type='ResumableTrainLoop',
    max_epochs=max_epochs,
    val_interval=max_epochs)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=2e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]
