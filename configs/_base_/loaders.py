# How samples reach the network; each data set adds its own.
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    # Augmentation follows from seed, epoch and position, not from the number
    # of workers; with SeedAugmentation in the pipeline.
    sampler=dict(type='SeededSampler', shuffle=True))
val_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False))
test_dataloader = val_dataloader
