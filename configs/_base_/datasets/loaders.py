# How samples reach the network; each data set adds its own.

# MMPose's inferencers read it, and each data set's `dataset_type`.
data_mode = 'topdown'

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    # Loader processes hand over one tensor of bytes a batch, which becomes
    # floating point on the device.
    collate_fn=dict(type='default_collate'),
    # Augmentation follows from seed, epoch and position, not from the number
    # of workers; with SeedAugmentation in the pipeline.
    sampler=dict(type='SeededSampler', shuffle=True))
# Without collate_fn, which a runner wants as a dict and MMPose's inferencers
# as a name.
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False))
test_dataloader = val_dataloader
