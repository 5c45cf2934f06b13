# Supervision of the last stack only.
_base_ = ['./hg4x1.py']

model = dict(head=dict(loss_weights=[0, 0, 0, 1]))
