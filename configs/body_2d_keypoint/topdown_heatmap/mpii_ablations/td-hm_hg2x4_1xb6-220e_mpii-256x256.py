# Two stacks with 4 residual modules at each place: the paper's HG-Stacked-Int.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=2, num_blocks=4))
