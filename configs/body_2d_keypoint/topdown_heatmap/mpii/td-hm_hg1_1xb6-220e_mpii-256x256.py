# One stack, the paper's recipe.
_base_ = ['./td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=1))
