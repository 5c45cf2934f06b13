# The final network with supervision of the last stack only.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(head=dict(loss_weights=[0, 0, 0, 0, 0, 0, 0, 1]))
