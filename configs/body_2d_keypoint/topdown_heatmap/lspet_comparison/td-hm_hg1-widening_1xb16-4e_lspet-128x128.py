# One stack whose width grows where the resolution falls, as CornerNet's does:
# the multiply-adds of td-hm_hg1-w128_1xb16-4e_lspet-128x128.py, 0.33 G, with
# 3.7 times the parameters.
_base_ = ['./td-hm_hg1-w128_1xb16-4e_lspet-128x128.py']

model = dict(backbone=dict(feat_channels=(112, 160, 224, 288, 384)))
