# Features alone go from stack to stack; the head predicts the heatmaps.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

model = dict(
    backbone=dict(num_keypoints=None),
    head=dict(in_channels=64, num_stages=4))
