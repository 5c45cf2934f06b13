# The final network, evaluated at its fourth stack. Every evaluation prints all
# stacks; here the fourth also decides on the learning rate, and is the one
# that is drawn and written.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(test_cfg=dict(eval_stack=3))
