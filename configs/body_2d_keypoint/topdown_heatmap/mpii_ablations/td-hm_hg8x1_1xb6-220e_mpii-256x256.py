# Eight stacks with one residual module at each place: the final network, here
# beside the others of about its size.
_base_ = ['../mpii/td-hm_hg8_1xb6-220e_mpii-256x256.py']
