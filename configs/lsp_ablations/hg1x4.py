# The same number of residual modules in 1 stack.
_base_ = ['./hg4x1.py']

model = dict(backbone=dict(num_stacks=1, num_blocks=4))
