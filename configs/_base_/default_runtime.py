# Shared by every config: imports, hooks, logging, seed.
custom_imports = dict(
    imports=['hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints'])
default_scope = 'mmpose'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    # One axis for losses and scores: iterations, not epochs for some.
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # With ResumableTrainLoop training resumes bit for bit after SIGKILL and
    # SIGTERM: docs/resuming.md.
    checkpoint=dict(
        type='ResumableCheckpointHook', interval=1, max_keep_ckpts=2),
    # Stops training at a NaN or infinite loss.
    invalid_loss=dict(type='InvalidLossHook'),
    # Counts the images that train_dataloader.dataset.skip_corrupt=True skips.
    corrupt_images=dict(type='CorruptImagesHook'),
    # Refuses model, codecs and datasets that do not fit each other.
    config_check=dict(type='ConfigCheckHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # Several processes evaluate and save the same running statistics.
    sync_buffers=dict(type='SyncBuffersHook'),
    # Saves up to a third of the time on CPUs; does nothing on GPUs.
    malloc=dict(type='MallocHook'),
    # --cfg-options default_hooks.compile.enable=True switches it on.
    compile=dict(type='CompileHook', enable=False),
    # tools/test.py --show-dir switches it on.
    visualization=dict(type='HourglassVisualizationHook', enable=False))

# mmengine's own wrapper. device_ids=None is needed by processes on CPUs and
# makes no difference on GPUs, where the preprocessor moves each batch.
model_wrapper_cfg = dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)

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
