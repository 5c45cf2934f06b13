# Keypoints without annotation are learnt as empty heatmaps, as in the paper.
_base_ = ['./hg4x1.py']

model = dict(head=dict(loss=dict(use_target_weight=False)))
