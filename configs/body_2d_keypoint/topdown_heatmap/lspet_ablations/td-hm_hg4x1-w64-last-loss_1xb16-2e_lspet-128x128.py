# Supervision of the last stack only.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

model = dict(head=dict(loss_weights=[0, 0, 0, 1]))
