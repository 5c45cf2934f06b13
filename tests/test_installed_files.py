"""Configs found from a checkout and from an installed package."""
import shutil
from pathlib import Path

import pytest
from mmengine.config import Config

from hourglass_plugin import config_path
from hourglass_plugin import resources as installed_files

ROOT = Path(__file__).resolve().parents[1]


def test_checkout_names_its_own_configs():
    assert Path(config_path()) == ROOT / 'configs'
    assert Path(config_path('mpii/hg8_256x256.py')) == (
        ROOT / 'configs/mpii/hg8_256x256.py')


def test_installed_package_names_its_copies(tmp_path, monkeypatch):
    package = tmp_path / 'site-packages/hourglass_plugin'
    shutil.copytree(ROOT / 'configs', package / '.mim/configs')
    # Another package's folder, of the same name.
    (tmp_path / 'site-packages/configs/mpii').mkdir(parents=True)
    (tmp_path / 'site-packages/configs/mpii/hg8_256x256.py').write_text('')
    monkeypatch.setattr(installed_files, '_PACKAGE', package)
    path = config_path('mpii/hg8_256x256.py')
    assert Path(path) == package / '.mim/configs/mpii/hg8_256x256.py'
    assert Config.fromfile(path).model.backbone.num_stacks == 8


def test_package_without_its_configs_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(installed_files, '_PACKAGE', tmp_path / 'vendored')
    with pytest.raises(FileNotFoundError, match=r'without its \.mim'):
        config_path()


def test_config_inherits_from_an_installed_one(tmp_path, monkeypatch):
    config = tmp_path / 'own.py'
    config.write_text("_base_ = __import__('hourglass_plugin').config_path(\n"
                      "    'mpii/hg8_256x256.py')\n"
                      'model = dict(backbone=dict(num_stacks=3))\n')
    monkeypatch.chdir(tmp_path)
    loaded = Config.fromfile('own.py')
    assert loaded.model.backbone.num_stacks == 3
    assert loaded.train_dataloader.dataset.type == 'HourglassMPIIDataset'


def test_mistyped_name_is_answered_with_close_ones():
    with pytest.raises(FileNotFoundError, match='mpii/hg8_256x256.py'):
        config_path('hg8_256x256.py')
    with pytest.raises(FileNotFoundError, match='did you mean lsp/hg1_128'):
        config_path('lsp/hg1_128x128')
    with pytest.raises(FileNotFoundError, match='they are in .*configs'):
        config_path('nothing like it')
    with pytest.raises(FileNotFoundError):
        config_path('mpii')  # a folder is not a config


@pytest.mark.parametrize(
    'name', [str(ROOT / 'configs/mpii/hg8_256x256.py'), '../setup.py'])
def test_other_files_are_not_configs(name):
    with pytest.raises(ValueError, match='counted from the folder'):
        config_path(name)
