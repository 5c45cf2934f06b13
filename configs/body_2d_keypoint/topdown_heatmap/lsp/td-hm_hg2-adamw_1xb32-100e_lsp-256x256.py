# Two stacks, a modern recipe.
_base_ = ['./td-hm_hg8-adamw_1xb32-100e_lsp-256x256.py']

model = dict(backbone=dict(num_stacks=2))
