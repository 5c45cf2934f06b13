# COCO's people as boxes, data/coco_people: random crops of 256x256 pixels for
# training, whole images of 384 pixels for validation.
# RGB in [0, 1], as the pose network whose weights a detector starts from.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[0, 0, 0],
    std=[255, 255, 255],
    bgr_to_rgb=True)
padded_with = dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True)

train_pipeline = [
    dict(type='mmpose.SeedAugmentation'),
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PhotoMetricDistortion'),
    dict(
        type='RandomResize',
        scale=(384, 384),
        ratio_range=(0.6, 1.5),
        keep_ratio=True),
    dict(
        type='RandomCenterCropPad',
        crop_size=(256, 256),
        ratios=(1.0, ),
        border=96,
        test_mode=False,
        test_pad_mode=None,
        **padded_with),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='Resize', scale=(384, 384), keep_ratio=True),
    dict(
        type='RandomCenterCropPad',
        crop_size=None,
        ratios=None,
        border=None,
        test_mode=True,
        test_pad_mode=['size_divisor', 64],
        **padded_with),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape',
                   'scale_factor', 'border')),
]

dataset = dict(
    type='CocoDataset',
    metainfo=dict(classes=('person', ), palette=[(220, 20, 60)]),
    data_root='data/coco_people/',
    data_prefix=dict(img='images/'))
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='mmpose.SeededSampler', shuffle=True),
    dataset=dict(
        dataset,
        ann_file='person_boxes_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    # Images have several sizes.
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        dataset,
        ann_file='person_boxes_val.json',
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='CocoMetric',
    ann_file=dataset['data_root'] + 'person_boxes_val.json',
    metric='bbox')
test_evaluator = val_evaluator
