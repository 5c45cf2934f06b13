_base_ = ['./td-hm_hg8-bearpaw_1xb6-220e_mpii-256x256.py']

model = dict(backbone=dict(num_stacks=2))
