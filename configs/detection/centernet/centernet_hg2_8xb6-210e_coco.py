# CenterNet ("Objects as Points") on two of our stacks: boxes by their centres,
# without NMS. Images, sizes and schedule are CornerNet's. The paper takes its
# hourglass from there, too, but starts from a trained detector's weights, for
# 50 epochs.
_base_ = ['mmdet::cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py']
custom_imports = dict(imports=[
    'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints',
    'hourglass_plugin.detectors'
])

model = dict(
    type='HourglassCenterNet',
    backbone=dict(_delete_=True, type='StackedHourglass', num_stacks=2),
    bbox_head=dict(
        _delete_=True,
        type='StackedCenterNetHead',
        num_classes=80,
        in_channels=256,
        feat_channels=256,
        num_feat_levels=2),  # one for each stack
    test_cfg=dict(_delete_=True, topk=100, local_maximum_kernel=3))
