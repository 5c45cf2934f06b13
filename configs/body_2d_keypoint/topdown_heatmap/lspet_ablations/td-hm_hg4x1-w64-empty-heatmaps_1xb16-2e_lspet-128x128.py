# Keypoints without annotation are empty heatmaps, as in the paper.
_base_ = ['./td-hm_hg4x1-w64_1xb16-2e_lspet-128x128.py']

model = dict(head=dict(loss=dict(use_target_weight=False)))
