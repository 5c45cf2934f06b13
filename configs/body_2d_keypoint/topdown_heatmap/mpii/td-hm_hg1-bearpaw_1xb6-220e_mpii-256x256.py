# One stack, for the published weights of the ports by bearpaw and anibali, as
# td-hm_hg8-bearpaw_1xb6-220e_mpii-256x256.py.
_base_ = ['./td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(
    data_preprocessor=dict(mean=[112.302, 113.22, 110.3385]),
    backbone=dict(num_stacks=1, stem_channels=(64, 128, 256)))
