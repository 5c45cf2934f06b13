# CornerNet on two of our stacks, and otherwise MMDetection's: COCO below
# data/coco, crops of 511x511, tests at whole images padded to 128k - 1, six
# images on each of eight GPUs, 210 epochs.
_base_ = ['mmdet::cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py']
custom_imports = dict(imports=[
    'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints',
    'hourglass_plugin.detectors'
])

model = dict(
    type='HourglassCornerNet',
    backbone=dict(_delete_=True, type='StackedHourglass', num_stacks=2),
    bbox_head=dict(num_feat_levels=2))  # one for each stack
