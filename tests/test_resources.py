"""Configs found from a checkout; tests/packaging installs the package."""
from pathlib import Path

import pytest
from mmengine.config import Config

from hourglass_plugin import config_path, resources

ROOT = Path(__file__).resolve().parents[1]
MPII = 'body_2d_keypoint/topdown_heatmap/mpii'
HG8 = 'td-hm_hg8_1xb6-220e_mpii-256x256.py'


def test_checkout_names_its_own_configs(tmp_path):
    assert Path(config_path()) == ROOT / 'configs'
    expected = ROOT / 'configs' / MPII / HG8
    assert Path(config_path(HG8)) == expected
    assert Path(config_path(f'{MPII}/{HG8}')) == expected
    config = tmp_path / 'own.py'
    config.write_text("_base_ = __import__('hourglass_plugin').config_path(\n"
                      f'    {HG8!r})\n'
                      'model = dict(backbone=dict(num_stacks=3))\n')
    loaded = Config.fromfile(config)
    assert loaded.model.backbone.num_stacks == 3
    assert loaded.train_dataloader.dataset.type == 'HourglassMPIIDataset'


def test_other_names_and_missing_configs_are_refused(tmp_path, monkeypatch):
    for name in ('td-hm_hg8_mpii-256x256.py', f'mpii/{HG8}'):
        with pytest.raises(FileNotFoundError, match=HG8):
            config_path(name)
    for name in (MPII, '../setup.py'):  # a folder, a file elsewhere
        with pytest.raises(FileNotFoundError):
            config_path(name)
    # Another package's folder, of the same name.
    (tmp_path / 'site-packages/configs' / MPII).mkdir(parents=True)
    monkeypatch.setattr(
        resources, '_PACKAGE', tmp_path / 'site-packages/hourglass_plugin')
    with pytest.raises(FileNotFoundError):
        config_path()
