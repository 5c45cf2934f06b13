# To try things: one stack of a quarter of the width.
_base_ = ['./cornernet_hg2_8xb6-210e-mstest_coco.py']

model = dict(
    backbone=dict(num_stacks=1, feat_channels=64),
    bbox_head=dict(num_feat_levels=1, in_channels=64))
