# td-hm_hg1-w128_1xb16-12e_lspet-128x128.py in mmengine's new style of configs:
# bases are imported and types may be classes, so that an editor finds both.
# ruff: noqa: F403, F405 (imports by * are how this style inherits)
from mmengine.config import read_base

with read_base():
    from ...._base_.datasets.lspet_128x128 import *
    from ...._base_.default_runtime import *
    from ...._base_.models.stacked_hourglass import *
    from ...._base_.schedules.adamw_one_cycle import *

from hourglass_plugin.engine.train_loop import ResumableTrainLoop

train_cfg = dict(type=ResumableTrainLoop, max_epochs=12, val_interval=4)

model.update(
    backbone=dict(
        type='StackedHourglass',
        num_stacks=1,
        feat_channels=128,
        num_keypoints=14))
model['head'].update(out_channels=14, decoder=codec)
model['head']['loss'].update(use_target_weight=True)
