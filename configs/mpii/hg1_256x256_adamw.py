# One stack, a recipe of today.
_base_ = ['./hg8_256x256_adamw.py']

model = dict(backbone=dict(num_stacks=1))
