# Supervision of the last stack only: the paper's HG-Stacked. The first stack's
# heatmaps are still fed back, and learn what serves the second.
_base_ = ['./td-hm_hg2x4_1xb6-220e_mpii-256x256.py']

model = dict(head=dict(loss_weights=[0, 1]))
