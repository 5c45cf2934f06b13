# Features alone go from stack to stack; the head predicts the heatmaps.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(
    backbone=dict(num_keypoints=None),
    head=dict(in_channels=256, num_stages=8))
