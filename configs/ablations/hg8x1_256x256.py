# Eight stacks with one residual module at each place: the final network, here
# to stand beside the others of about its size.
_base_ = ['../mpii/hg8_256x256.py']
