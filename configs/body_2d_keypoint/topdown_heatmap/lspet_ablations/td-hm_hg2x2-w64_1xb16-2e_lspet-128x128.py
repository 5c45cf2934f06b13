# The same number of residual modules in 2 stacks.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

model = dict(backbone=dict(num_stacks=2, num_blocks=2))
