# Nine more epochs for the network of the 7-epoch config beside this one: the
# intermediate step of the weights that come with the package (6e beside it).
_base_ = ['./td-hm_hg2-w128_1xb16-7e_people-192x192.py']

train_cfg = dict(max_epochs=9, val_interval=9)
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=8e-4,
        pct_start=0.05,
        by_epoch=True,
        convert_to_iter_based=True)
]
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='work_dirs/td-hm_hg2-w128_1xb16-7e_people-192x192/'
            'epoch_7.pth')))
