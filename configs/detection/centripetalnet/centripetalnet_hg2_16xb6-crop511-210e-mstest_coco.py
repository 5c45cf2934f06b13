# CentripetalNet on two of our stacks, and otherwise MMDetection's, on sixteen
# GPUs. Its deformable convolution needs the full mmcv.
_base_ = [
    'mmdet::centripetalnet/'
    'centripetalnet_hourglass104_16xb6-crop511-210e-mstest_coco.py'
]
custom_imports = dict(imports=[
    'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints',
    'hourglass_plugin.detectors'
])

model = dict(
    type='HourglassCornerNet',
    backbone=dict(_delete_=True, type='StackedHourglass', num_stacks=2),
    bbox_head=dict(num_feat_levels=2))  # one for each stack
