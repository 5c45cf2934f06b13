# Two stacks with 4 residual modules at each place: the paper's HG-Stacked-Int.
_base_ = ['../mpii/hg8_256x256.py']

model = dict(backbone=dict(num_stacks=2, num_blocks=4))
