# Losses inside the one hourglass, after upsampling to 16x16 and to 32x32: the
# paper's HG-Int.
_base_ = ['./hg1x8_256x256.py']

model = dict(backbone=dict(inner_heatmaps=2))
