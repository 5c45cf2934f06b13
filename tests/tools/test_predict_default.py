"""tools/predict.py with the weights of the package."""
import json

import numpy as np
import pytest
from stick_figures import write_people
from tool_process import run_tool

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image, save_image
from hourglass_plugin.weights import shipped_weights


@pytest.fixture(scope='module')
def photographs(tmp_path_factory):
    """One from a camera's size down to a thumbnail."""
    folder = tmp_path_factory.mktemp('photographs')
    (folder / 'images').mkdir()
    write_people(folder, 'val', 2, np.random.RandomState(0))
    large = np.zeros((500, 700, 3), np.uint8)
    large[300:400, 500:600] = read_image(folder / 'images' / 'val1.png')
    images = folder / 'both'
    save_image(images / 'small.png', read_image(
        folder / 'images' / 'val0.png'))
    save_image(images / 'large.png', large)
    return images


def written(folder):
    return json.loads((folder / 'predictions.json').read_text())


def test_default_is_what_config_and_checkpoint_give(photographs, call_tool,
                                                    tmp_path):
    """And importing less, in a process of its own, changes no number."""
    finished = run_tool('predict', photographs, '--out', tmp_path / 'default')
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ''  # nothing that the user could not act on
    call_tool('predict', photographs, *shipped_weights(), '--out',
              tmp_path / 'explicit')
    answer = written(tmp_path / 'default')
    assert (answer['config'], answer['checkpoint']) == shipped_weights()
    assert answer['joints'] == list(LSP.joints)
    assert answer == written(tmp_path / 'explicit')
    for name in ('small.png', 'large.png'):
        drawn = read_image(tmp_path / 'default' / name)
        assert drawn.shape == read_image(photographs / name).shape


def test_whole_image_is_one_box(photographs, call_tool, tmp_path):
    call_tool('predict', photographs / 'large.png', '--whole-image', '--out',
              tmp_path)
    image, = written(tmp_path)['predictions']
    assert [person['bbox'] for person in image['people']] == [[0, 0, 700, 500]]


def test_a_config_alone_is_refused(project, photographs, error_of):
    assert 'checkpoint' in error_of('predict', photographs, project.config)
