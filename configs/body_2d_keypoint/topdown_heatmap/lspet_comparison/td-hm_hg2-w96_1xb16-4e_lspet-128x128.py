# Two stacks of three eighths of the paper's width: 0.30 G multiply-adds.
_base_ = ['../../../_base_/lsp_study.py']

param_scheduler = [dict(_base_.param_scheduler[0], eta_max=4.5e-3)]

model = dict(backbone=dict(num_stacks=2, feat_channels=96))
