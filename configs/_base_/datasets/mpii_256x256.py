# MPII: 22,246 people to train, Tompson's 2,958 to validate, from
#     python tools/prepare_mpii.py DOWNLOADS --out data/mpii
_base_ = ['./topdown_256x256.py']

codec = dict(type='MPIIHeatmap')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.type = 'MPIIHeatmap'

dataset_type = 'HourglassMPIIDataset'
people = dict(type=dataset_type, data_root='data/mpii/')
train_dataloader = dict(
    dataset=dict(
        people,
        ann_file='annotations/mpii_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(people, ann_file='annotations/mpii_val.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='PCKhMetric')
test_evaluator = val_evaluator
