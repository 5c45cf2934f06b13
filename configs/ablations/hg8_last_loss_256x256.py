# The final network with supervision of the last stack only.
_base_ = ['../mpii/hg8_256x256.py']

model = dict(head=dict(loss_weights=[0, 0, 0, 0, 0, 0, 0, 1]))
