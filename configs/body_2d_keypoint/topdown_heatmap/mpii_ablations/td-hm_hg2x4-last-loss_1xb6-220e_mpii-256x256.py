# Two stacks with 4 residual modules at each place, supervision of the last
# only: the paper's HG-Stacked. The first stack's heatmaps are still fed back,
# and become what serves the second.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(
    backbone=dict(num_stacks=2, num_blocks=4), head=dict(loss_weights=[0, 1]))
