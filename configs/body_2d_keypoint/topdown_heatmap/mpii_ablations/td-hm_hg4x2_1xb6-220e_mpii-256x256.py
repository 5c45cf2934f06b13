# Four stacks with 2 residual modules at each place.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=4, num_blocks=2))
