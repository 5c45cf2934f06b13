# CornerNet for trying: one stack of an eighth of the width, on drawn shapes.
# Its head costs many times what the network does. Box AP on the 200 images to
# validate: 0.0 untrained, 24.1 after these 4 epochs (one seed).
_base_ = ['../../_base_/detection_quick.py']

# Less than one seed reached, for other seeds and machines; as COCO's metric
# says it, 0 to 1.
expected_results = {'coco/bbox_mAP': 0.15, 'coco/bbox_mAP_50': 0.25}

model = dict(
    type='HourglassCornerNet',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(type='StackedHourglass', num_stacks=1, feat_channels=32),
    # MMDetection's weights of the losses.
    bbox_head=dict(
        type='CornerHead',
        num_classes=3,
        in_channels=32,
        num_feat_levels=1,
        loss_embedding=dict(
            type='AssociativeEmbeddingLoss',
            pull_weight=0.10,
            push_weight=0.10)),
    test_cfg=dict(
        corner_topk=100,
        local_maximum_kernel=3,
        distance_threshold=0.5,
        score_thr=0.05,
        max_per_img=100,
        nms=dict(type='soft_nms', iou_threshold=0.5, method='gaussian')))
