# The same number of residual modules in 1 stack.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

model = dict(backbone=dict(num_stacks=1, num_blocks=4))
