# The weights that come with the package: two stacks of half the paper's width
# at 192x192, which two CPU cores train in hours.
_base_ = [
    '../../../_base_/default_runtime.py',
    '../../../_base_/models/stacked_hourglass.py',
    '../../../_base_/datasets/people_192x192.py',
    '../../../_base_/schedules/adamw_one_cycle.py',
]

train_cfg = dict(type='ResumableTrainLoop', max_epochs=7, val_interval=7)

# bfloat16 doubles the speed where a CPU has AMX, and on GPUs.
optim_wrapper = dict(type='BFloat16OptimWrapper')
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1e-3,
        pct_start=0.05,
        by_epoch=True,
        convert_to_iter_based=True)
]
custom_hooks = [
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=0.001,
        priority='NORMAL')
]

model = dict(
    backbone=dict(
        num_stacks=2,
        feat_channels=128,
        num_keypoints=16,
        # Features of the network for Leeds alone, which that config trains;
        # its 14 heatmaps are learnt anew as MPII's 16.
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/td-hm_hg2-w128_1xb16-30e_lspet-128x128/'
            'epoch_30.pth',
            prefix='backbone.')),
    head=dict(
        out_channels=16,
        loss=dict(use_target_weight=True),
        decoder=_base_.codec))
