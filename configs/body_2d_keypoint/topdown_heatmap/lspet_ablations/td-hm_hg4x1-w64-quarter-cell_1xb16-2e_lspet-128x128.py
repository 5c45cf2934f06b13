# The paper's targets, drawn around the middle of a cell, and its quarter cell.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

codec = dict(refinement='quarter')
train_pipeline = _base_.train_pipeline
train_pipeline[-2].encoder.update(codec)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

model = dict(head=dict(decoder=dict(_base_.codec, **codec)))
