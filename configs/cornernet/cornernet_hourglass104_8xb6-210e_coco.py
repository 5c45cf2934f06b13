# CornerNet on its own hourglass-104, by our class: MMDetection's config, and
# weights of its backbone load with
#     --cfg-options model.backbone.init_cfg.type=Pretrained
#     model.backbone.init_cfg.checkpoint=FILE
#     model.backbone.init_cfg.prefix=backbone
_base_ = ['./cornernet_hg2_8xb6-210e_coco.py']

model = dict(
    backbone=dict(
        form='cornernet',
        depth=5,
        feat_channels=[256, 256, 384, 384, 384, 512],
        num_blocks=[2, 2, 2, 2, 2, 4]))
