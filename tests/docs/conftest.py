"""The folder of a page's reader, where nothing is compiled."""
import shutil

import numpy as np
import pytest
import torch
from tool_process import ROOT

from hourglass_plugin.visualization import read_image, save_image


@pytest.fixture(autouse=True, scope='module')
def eager():
    """Do not compile, which takes a minute: tests/models does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, 'compile', lambda module, **options: module)
        yield


@pytest.fixture(scope='module')
def folder(trained, tmp_path_factory):
    """A clone's configs, the trained small project, and an image."""
    folder = tmp_path_factory.mktemp('reader')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    (folder / 'my_images').mkdir()
    image = read_image(trained.folder / 'images' / 'val0.png')
    for name in ('photo.jpg', 'my_images/val0.png'):
        save_image(folder / name, image)
    save_image(folder / 'team.jpg', np.tile(image, (5, 8, 1)))
    return folder
