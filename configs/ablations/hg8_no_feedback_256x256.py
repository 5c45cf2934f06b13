# Features alone go from stack to stack; the heatmaps are predicted beside the
# network, by the head.
_base_ = ['../mpii/hg8_256x256.py']

model = dict(
    backbone=dict(num_keypoints=None),
    head=dict(in_channels=256, num_stages=8))
