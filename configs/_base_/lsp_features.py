# For heads of MMPose, which are given heatmaps and their weights: the heatmaps
# are those of the others, drawn by the loader's processes.
_base_ = ['./lsp_study.py']

train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.update(encode_on_device=False)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
