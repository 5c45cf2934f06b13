# Losses inside the one hourglass, after upsampling to 16x16 and to 32x32: the
# paper's HG-Int.
_base_ = ['./td-hm_hg1x8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(inner_heatmaps=2))
