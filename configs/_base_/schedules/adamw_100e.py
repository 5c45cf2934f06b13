# A modern recipe: AdamW, cosine, bfloat16, larger batches, less than half of
# the paper's epochs. Not tuned on any dataset.
auto_scale_lr = dict(base_batch_size=32)
optim_wrapper = dict(
    # Autocast to bfloat16 on GPUs and CPUs; no loss scaling is needed.
    type='BFloat16OptimWrapper',
    # fused=True here halves the optimizer's time, a hundredth of a step; on
    # CPUs it needs torch 2.4.
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-2),
    clip_grad=dict(max_norm=1.0))

max_epochs = 100
train_cfg = dict(
    type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=5)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=500, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=max_epochs,
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True),
]
