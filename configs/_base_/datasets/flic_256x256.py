# FLIC: 3,987 people to train, 1,016 to test, observer-centric, from
#     python tools/prepare_flic.py DOWNLOADS --out data/flic
_base_ = ['./topdown_256x256.py']

codec = dict(type='FLICHeatmap')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.type = 'FLICHeatmap'

dataset_type = 'HourglassFLICDataset'
people = dict(type=dataset_type, data_root='data/flic/')
train_dataloader = dict(
    dataset=dict(
        people,
        ann_file='annotations/flic_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(people, ann_file='annotations/flic_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric')
test_evaluator = val_evaluator
