# As topdown_256x256.py, a quarter of the pixels and of the heatmaps' cells.
_base_ = ['./topdown_256x256.py']

codec = dict(input_size=(128, 128), heatmap_size=(32, 32))
train_pipeline = _base_.train_pipeline
train_pipeline[-4].input_size = codec['input_size']
train_pipeline[-2].encoder.update(codec)
val_pipeline = _base_.val_pipeline
val_pipeline[-2].input_size = codec['input_size']

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
