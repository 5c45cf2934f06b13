# A small CornerNet: one stack of a quarter of the width.
_base_ = ['mmdet::cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py']
custom_imports = dict(imports=[
    'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints',
    'hourglass_plugin.detectors'
])

model = dict(
    type='HourglassCornerNet',
    backbone=dict(
        _delete_=True,
        type='StackedHourglass',
        num_stacks=1,
        feat_channels=64),
    bbox_head=dict(num_feat_levels=1, in_channels=64))
