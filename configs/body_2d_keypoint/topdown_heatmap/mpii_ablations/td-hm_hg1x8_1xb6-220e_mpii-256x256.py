# One stack with 8 residual modules at each place: the paper's HG, with about
# as many parameters as the final network.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=1, num_blocks=8))
