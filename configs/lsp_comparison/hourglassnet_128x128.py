# One stack of MMPose's HourglassNet under its CPMHead, at 56 instead of 256
# channels and the others in proportion: 0.36 G multiply-adds. MMPose's class
# has a stem of 256 channels that no setting changes; form='cornernet' is the
# same network at any width.
_base_ = ['./_base_/features.py']

param_scheduler = [dict(_base_.param_scheduler[0], eta_max=4.5e-3)]

model = dict(
    backbone=dict(
        _delete_=True,
        type='StackedHourglass',
        form='cornernet',
        num_stacks=1,
        depth=5,
        num_blocks=(2, 2, 2, 2, 2, 4),
        feat_channels=(56, 56, 84, 84, 84, 112)),
    head=dict(
        _delete_=True,
        type='CPMHead',
        in_channels=56,
        out_channels=14,
        num_stages=1,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=_base_.codec))
