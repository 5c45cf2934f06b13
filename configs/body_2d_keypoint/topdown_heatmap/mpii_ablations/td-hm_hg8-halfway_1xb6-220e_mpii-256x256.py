# The final network, judged by what it predicts halfway, after the fourth
# stack. Every evaluation prints all stacks; here the fourth is also what the
# rate's schedule watches and what is drawn and written.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']

model = dict(test_cfg=dict(eval_stack=3))
