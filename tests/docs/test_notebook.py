"""The notebook, cell after cell, with less training."""
import json
import os

import pytest
from page import ROOT

from hourglass_plugin.visualization.image_files import read_image


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The folder in which the notebook ran."""
    folder = tmp_path_factory.mktemp('notebook')
    (folder / 'docs').symlink_to(ROOT / 'docs')
    notebook = json.loads(
        (ROOT / 'examples/train_your_own.ipynb').read_text())
    names = {}
    before = os.getcwd()
    os.chdir(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYTHONPATH', str(ROOT))
        try:
            for cell in notebook['cells']:
                if cell['cell_type'] == 'code' and 'install' not in cell[
                        'metadata'].get('tags', ()):
                    text = ''.join(cell['source']).replace(
                        'OPTIONS = []', "OPTIONS = ['--cfg-options', "
                        "'train_cfg.max_epochs=2', 'train_cfg.val_interval=1'"
                        ']').replace("('first', 40)", "('first', 12)")
                    exec(compile(text, 'notebook', 'exec'), names)
        finally:
            os.chdir(before)
    return folder


def test_the_second_video_validates(folder):
    train, val = (json.loads(
        (folder / f'my_mouse/annotations/{part}.json').read_text())
        for part in ('train', 'val'))
    assert [len(part['images']) for part in (train, val)] == [12, 12]
    videos = {image['file_name'].split('/')[0] for image in val['images']}
    assert len(videos) == 1 and not any(
        image['file_name'].split('/')[0] in videos
        for image in train['images'])


def test_best_weights_curves_and_report_are_written(folder):
    for name in ('best.pth', 'config.py', 'start.pth'):
        assert (folder / 'my_mouse' / name).is_file()
    assert read_image(folder / 'my_mouse/curves.png').shape[1] > 1000
    assert 'tail' in (folder / 'report/index.html').read_text()
    assert read_image(folder / 'drawn.png').shape == (160, 160, 3)
