# One stack whose width grows where the resolution falls, as CornerNet's does:
# the multiply-adds of hg1_128x128.py, 0.33 G, on 3.7 times the weights.
_base_ = ['../../../_base_/lsp_study.py']

model = dict(backbone=dict(feat_channels=(112, 160, 224, 288, 384)))
