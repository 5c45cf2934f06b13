# HRNet-W32 at 10 instead of 32 channels, and 32 instead of 64 in its first
# stage: 0.35 G multiply-adds.
_base_ = ['../../../_base_/lsp_features.py']

param_scheduler = [dict(_base_.param_scheduler[0], eta_max=5e-4)]

model = dict(
    backbone=dict(
        _delete_=True,
        type='HRNet',
        in_channels=3,
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=1,
                block='BOTTLENECK',
                num_blocks=(4, ),
                num_channels=(32, )),
            stage2=dict(
                num_modules=1,
                num_branches=2,
                block='BASIC',
                num_blocks=(4, 4),
                num_channels=(10, 20)),
            stage3=dict(
                num_modules=4,
                num_branches=3,
                block='BASIC',
                num_blocks=(4, 4, 4),
                num_channels=(10, 20, 40)),
            stage4=dict(
                num_modules=3,
                num_branches=4,
                block='BASIC',
                num_blocks=(4, 4, 4, 4),
                num_channels=(10, 20, 40, 80)))),
    head=dict(
        _delete_=True,
        type='HeatmapHead',
        in_channels=10,
        out_channels=14,
        deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=_base_.codec))
