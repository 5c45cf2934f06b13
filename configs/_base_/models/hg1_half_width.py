# One stack of half the paper's width, small enough to train on a processor,
# and its optimiser. The rate and the cycle's length are each config's own
# OneCycleLR.
_base_ = ['./stacked_hourglass.py']

# AdamW on one cycle learns faster than the paper's RMSprop with steps when
# there are minutes, not days.
auto_scale_lr = dict(base_batch_size=16)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', weight_decay=1e-2))

model = dict(backbone=dict(num_stacks=1, feat_channels=128))
