# CenterNet ("Objects as Points") on two of our stacks: boxes by their centres,
# with no NMS. Images, sizes and schedule are CornerNet's: the paper,
# too, has its hourglass from there, but starts from a trained detector's
# weights, for 50 epochs.
_base_ = ['../cornernet/cornernet_hg2_8xb6-210e-mstest_coco.py']

model = dict(
    type='HourglassCenterNet',
    bbox_head=dict(
        _delete_=True,
        type='StackedCenterNetHead',
        num_classes=80,
        in_channels=256,
        feat_channels=256,
        num_feat_levels=2),  # one for each stack
    test_cfg=dict(_delete_=True, topk=100, local_maximum_kernel=3))
