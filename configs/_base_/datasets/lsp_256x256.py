# Leeds Sports Pose: 1,000 people and the 10,000 of its extension to train, the
# other 1,000 to test, from
#     python tools/prepare_lsp.py DOWNLOADS --out data/lsp
_base_ = ['./topdown_256x256.py']

codec = dict(type='LSPHeatmap')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.type = 'LSPHeatmap'

dataset_type = 'HourglassLSPDataset'
people = dict(type=dataset_type, data_root='data/lsp/')
train_dataloader = dict(
    dataset=dict(
        people,
        ann_file='annotations/lsp_train.json',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(people, ann_file='annotations/lsp_test.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric')
test_evaluator = val_evaluator
