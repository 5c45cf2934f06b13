# CornerNet for trying: one stack of an eighth of the width, on drawn shapes.
# Its head costs ten times what the network does.
_base_ = ['./_base_/quick.py']

max_epochs = 4
train_cfg = dict(by_epoch=True, max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=2e-3,
        total_steps=max_epochs,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

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
