# Drawn shapes with boxes, from
# python tools/synthetic_data/generate.py shapes --out data/synthetic_shapes \
#     --num-train 3000
# in MMDetection's CornerNet pipelines at 127x127, a quarter of the side of its
# 511: maps of 32x32.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True)
padded_with = dict(
    mean=data_preprocessor['mean'],
    std=data_preprocessor['std'],
    to_rgb=data_preprocessor['bgr_to_rgb'])
input_size = (127, 127)

# PhotoMetricDistortion is left out: the generator itself changes colours.
train_pipeline = [
    dict(type='mmpose.SeedAugmentation'),
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='RandomCenterCropPad',
        crop_size=input_size,
        ratios=(0.8, 0.9, 1.0, 1.1, 1.2),
        border=32,
        test_mode=False,
        test_pad_mode=None,
        **padded_with),
    dict(type='Resize', scale=input_size, keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(
        type='RandomCenterCropPad',
        crop_size=None,
        ratios=None,
        border=None,
        test_mode=True,
        test_pad_mode=['logical_or', 127],
        **padded_with),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'border')),
]

dataset_type = 'CocoDataset'
dataset = dict(
    type=dataset_type,
    metainfo=dict(
        classes=('disc', 'rectangle', 'triangle'),
        palette=[(230, 120, 0), (0, 110, 230), (30, 160, 60)]),
    data_root='data/synthetic_shapes/',
    data_prefix=dict(img='images/'))
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    # Augmentation follows from seed, epoch and position alone.
    sampler=dict(type='mmpose.SeededSampler', shuffle=True),
    dataset=dict(
        dataset, ann_file='annotations/train.json', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        dataset,
        ann_file='annotations/val.json',
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(
    type='CocoMetric',
    ann_file=dataset['data_root'] + 'annotations/val.json',
    metric='bbox')
test_evaluator = val_evaluator
