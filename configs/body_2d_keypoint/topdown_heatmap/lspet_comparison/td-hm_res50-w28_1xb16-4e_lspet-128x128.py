# SimpleBaseline: MMPose's ResNet-50 and HeatmapHead, at 28 instead of 64 and
# 96 instead of 256 channels: 0.34 G multiply-adds.
_base_ = ['../../../_base_/lsp_features.py']

param_scheduler = [dict(_base_.param_scheduler[0], eta_max=4.5e-3)]

model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        stem_channels=28,
        base_channels=28),
    head=dict(
        _delete_=True,
        type='HeatmapHead',
        in_channels=896,
        out_channels=14,
        deconv_out_channels=(96, 96, 96),
        deconv_kernel_sizes=(4, 4, 4),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=_base_.codec))
