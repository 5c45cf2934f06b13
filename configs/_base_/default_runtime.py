# What every config shares: hooks, logging, seed.
custom_imports = dict(imports=['hourglass_plugin'])
default_scope = 'mmpose'

default_hooks = dict(
    # Losses are copied from the device when they are logged, not in each step.
    runtime_info=dict(type='DeferredRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    # One axis for losses and scores: iterations, not epochs for some.
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # A training that is killed or stopped by SIGTERM goes on with --resume as
    # if nothing had been: docs/resuming.md.
    checkpoint=dict(
        type='ResumableCheckpointHook', interval=1, max_keep_ckpts=2),
    # NaN and infinity end training; max_skipped=10 leaves up to 10 steps out.
    finite_numbers=dict(type='InvalidLossHook', max_skipped=0),
    # Counts what train_dataloader.dataset.skip_corrupt=True leaves out.
    corrupt_images=dict(type='CorruptImagesHook'),
    # Model, codecs and data sets belong together, or nothing runs.
    config_check=dict(type='ConfigCheckHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # --cfg-options default_hooks.compile.enable=True switches it on.
    compile=dict(type='CompileHook', enable=False),
    # tools/test.py --show-dir switches it on.
    visualization=dict(type='HourglassVisualizationHook', enable=False))

# On processors saves up to a third of the time; on GPUs does nothing.
custom_hooks = [dict(type='MallocHook')]

env_cfg = dict(
    cudnn_benchmark=True,
    # Each loader process decodes and warps alone.
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='PoseLocalVisualizer', vis_backends=vis_backends, name='visualizer')

log_processor = dict(
    type='LogProcessor', window_size=50, by_epoch=True, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)

val_cfg = dict()
test_cfg = dict()
