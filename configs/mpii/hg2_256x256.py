# Two stacks, the paper's recipe.
_base_ = ['./hg8_256x256.py']

model = dict(backbone=dict(num_stacks=2))
