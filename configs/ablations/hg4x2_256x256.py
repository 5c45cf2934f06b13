# Four stacks with 2 residual modules at each place.
_base_ = ['../mpii/hg8_256x256.py']

model = dict(backbone=dict(num_stacks=4, num_blocks=2))
