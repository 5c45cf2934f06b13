"""Where a page's reader is, and what takes too long there."""
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import config
from page import ROOT, follow
from stick_figures import write_people


@pytest.fixture(scope='module')
def clone(tmp_path_factory):
    """What a page needs of a clone: configs, and room for data."""
    folder = tmp_path_factory.mktemp('clone')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    return folder


@pytest.fixture(scope='module', autouse=True)
def quick():
    """Leave out what takes long and changes no result.

    Compiling takes a minute (tests/models has it). Laying out a config's text
    for the log takes yapf up to ten seconds.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, 'compile', lambda module, **options: module)
        patch.setattr(config, 'FormatCode', lambda text, **style: (text, True))
        yield


@pytest.fixture(scope='module')
def trained(clone):
    """The clone with Leeds' data drawn and a small network trained on them.

    For pages whose commands have CONFIG and CHECKPOINT; ``options`` make the
    other configs of this data set as small.
    """
    (clone / 'data' / 'lspet' / 'images').mkdir(parents=True)
    rng = np.random.RandomState(0)
    for name in ('train', 'val'):
        write_people(clone / 'data' / 'lspet', f'lspet_{name}', 3, rng)
    (clone / 'small.py').write_text("""
_base_ = ['configs/body_2d_keypoint/topdown_heatmap/lspet/td-hm_hg1-w128_1xb16-12e_lspet-128x128.py']
train_cfg = dict(max_epochs=1, val_interval=1)
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = val_dataloader
model = dict(backbone=dict(num_stacks=2, feat_channels=16))
""")
    follow('python tools/train.py small.py', clone)
    return SimpleNamespace(
        folder=clone,
        config='small.py',
        checkpoint='work_dirs/small/epoch_1.pth')
