# AdamW on one cycle: it learns faster than the paper's RMSprop with steps when
# there are minutes, not days. The learning rate rises to eta_max in the first
# tenth, then falls to zero. A config adds train_cfg with the epochs.
auto_scale_lr = dict(base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', weight_decay=1e-2))
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1.5e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]
