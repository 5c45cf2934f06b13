# CenterNet for trying: one stack of a quarter of the width, on drawn shapes.
# Box AP on the 200 images to validate: 0.0 untrained, 49.3 after these 4
# epochs (one seed).
_base_ = ['../../_base_/detection_quick.py']

# Less than one seed reached, for other seeds and machines; as COCO's metric
# says it, 0 to 1.
expected_results = {'coco/bbox_mAP': 0.35, 'coco/bbox_mAP_50': 0.65}

model = dict(
    type='HourglassCenterNet',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=64),
    bbox_head=dict(
        type='StackedCenterNetHead',
        num_classes=3,
        in_channels=64,
        feat_channels=64,
        num_feat_levels=1),
    test_cfg=dict(topk=100, local_maximum_kernel=3, max_per_img=100))
