# The paper's optimizer: RMSprop at 2.5e-4, batches of 6 as in its code. The
# learning rate is divided by 5 once validation accuracy stays where it is;
# each dataset's config names that metric.
auto_scale_lr = dict(base_batch_size=6)
optim_wrapper = dict(
    type='OptimWrapper',
    # Torch7's defaults, which are PyTorch's.
    optimizer=dict(type='RMSprop', lr=2.5e-4, alpha=0.99, eps=1e-8))

# The code's 100 epochs of 8,000 batches of 6 are 216 passes over MPII.
max_epochs = 220
train_cfg = dict(
    type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=1)
