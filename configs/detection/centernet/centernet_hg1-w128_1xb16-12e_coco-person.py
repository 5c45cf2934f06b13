# A small person detector: one stack of half the width, which starts from the
# pose network's first stack. 12 epochs of 1,596 images are far too few:
# box AP50 is 4 %.
_base_ = [
    '../../_base_/detection_runtime.py',
    '../../_base_/datasets/coco_person_256x256.py',
    '../../_base_/schedules/adamw_one_cycle.py',
]

optim_wrapper = dict(
    type='mmpose.BFloat16OptimWrapper', clip_grad=dict(max_norm=35))
train_cfg = dict(type='ResumableTrainLoop', max_epochs=12, val_interval=12)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=1e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]
custom_hooks = [
    dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=0.002,
        priority='NORMAL')
]

model = dict(
    type='HourglassCenterNet',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(
        type='StackedHourglass',
        num_stacks=1,
        feat_channels=128,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='hourglass_plugin/weights/people_hg2_192x192.pth',
            prefix='backbone.')),
    bbox_head=dict(
        type='StackedCenterNetHead',
        num_classes=1,
        in_channels=128,
        feat_channels=64,
        num_feat_levels=1),
    test_cfg=dict(topk=100, local_maximum_kernel=3, max_per_img=100))
