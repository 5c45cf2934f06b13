# The same number of residual modules in 2 stacks.
_base_ = ['./hg4x1.py']

model = dict(backbone=dict(num_stacks=2, num_blocks=2))
