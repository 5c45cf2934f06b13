# Leeds Sports Pose Extended at 128x128: 7,993 people to train, 998 to
# validate, as MPII-style JSON below data/lspet.
_base_ = ['./topdown_128x128.py']

# At 4 pixels a cell a quarter cell is coarse beside PCK@0.1.
codec = dict(type='LSPHeatmap', refinement='subpixel')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.update(codec)

dataset_type = 'HourglassLSPDataset'
people = dict(type=dataset_type, data_root='data/lspet/')
train_dataloader = dict(
    dataset=dict(people, ann_file='lspet_train.json', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(people, ann_file='lspet_val.json'))
test_dataloader = val_dataloader

val_evaluator = dict(type='TorsoPCKMetric', thresholds=[0.2, 0.1])
test_evaluator = val_evaluator
