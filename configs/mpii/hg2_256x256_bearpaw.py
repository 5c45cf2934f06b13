_base_ = ['./hg8_256x256_bearpaw.py']

model = dict(backbone=dict(num_stacks=2))
