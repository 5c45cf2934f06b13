# One stack with 8 residual modules at each place, and losses inside it, after
# upsampling to 16x16 and to 32x32: the paper's HG-Int.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=1, num_blocks=8, inner_heatmaps=2))
