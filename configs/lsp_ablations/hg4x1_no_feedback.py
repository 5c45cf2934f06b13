# Features alone go from stack to stack; the heatmaps are predicted beside the
# network, by the head.
_base_ = ['./hg4x1.py']

model = dict(
    backbone=dict(num_keypoints=None),
    head=dict(in_channels=64, num_stages=4))
