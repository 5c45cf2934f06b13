# The embedded data set at 128x128: drawn people with MPII's 16 joints, from
#     python tools/generate_synthetic_people.py --out data/synthetic_people
_base_ = ['./topdown_128x128.py']

codec = dict(type='MPIIHeatmap')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.update(codec)
# The generator turns and scales people and changes the light by itself.
train_pipeline[3] = dict(type='RandomScaleRotation', sampling='paper')
train_pipeline.remove(dict(type='RandomChannelGain'))

dataset_type = 'HourglassMPIIDataset'
people = dict(type=dataset_type, data_root='data/synthetic_people/')
train_dataloader = dict(
    dataset=dict(
        people,
        ann_file='annotations/mpii_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        people,
        ann_file='annotations/mpii_val.json',
        headbox_file='annotations/mpii_gt_val.mat'))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
