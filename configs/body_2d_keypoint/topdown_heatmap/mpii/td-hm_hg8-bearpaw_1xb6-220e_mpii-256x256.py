# The network and preprocessing of the PyTorch ports by bearpaw (W. Yang) and
# anibali, for their published weights:
#     python tools/misc/convert_checkpoint.py THEIRS OURS
_base_ = ['./td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(
    # RGB in [0, 1] less the mean colour of MPII's training images, 0.4404,
    # 0.4440, 0.4327, and not divided by their deviation.
    data_preprocessor=dict(mean=[112.302, 113.22, 110.3385]),
    # Wider than the paper's from the second residual module on.
    backbone=dict(stem_channels=(64, 128, 256)))
