# The paper's targets, drawn around the centre of a cell, and its quarter-cell
# refinement.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

codec = dict(
    type='LSPHeatmap',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    refinement='quarter',
    encode_on_device=True)

train_pipeline = [
    dict(type='SeedAugmentation'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomHorizontalFlip'),
    dict(type='RandomScaleRotation', sampling='lua'),
    dict(
        type='TopdownCrop',
        input_size=codec['input_size'],
        reduced_decoding=True),
    dict(type='RandomChannelGain'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

model = dict(head=dict(decoder=codec))
