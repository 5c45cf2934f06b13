# Two stacks of three eighths of the paper's width: 0.30 G multiply-adds.
_base_ = ['./td-hm_hg1-w128_1xb16-4e_lspet-128x128.py']

param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=4.5e-3,
        pct_start=0.1,
        by_epoch=True,
        convert_to_iter_based=True)
]

model = dict(backbone=dict(num_stacks=2, feat_channels=96))
