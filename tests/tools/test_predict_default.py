"""tools/predict.py with the weights of the package, and who it finds."""
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
    small, other = (read_image(folder / 'images' / f'val{i}.png')
                    for i in (0, 1))
    large = np.zeros((500, 700, 3), np.uint8)
    large[300:400, 500:600] = other
    images = folder / 'both'
    save_image(images / 'small.png', small)
    save_image(images / 'large.png', large)
    return images


def people(folder):
    answer = json.loads((folder / 'predictions.json').read_text())
    return answer, {
        image['file']: image['people']
        for image in answer['predictions']
    }


def test_default_is_what_config_and_checkpoint_give(photographs, call_tool,
                                                    tmp_path):
    """And importing less, in a process of its own, changes no number."""
    finished = run_tool('predict', photographs, '--out', tmp_path / 'default')
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ''  # nothing that the user could not act on
    call_tool('predict', photographs, *shipped_weights(), '--out',
              tmp_path / 'explicit')
    answer, default = people(tmp_path / 'default')
    assert (answer['config'], answer['checkpoint']) == shipped_weights()
    assert answer['joints'] == list(LSP.joints)
    assert default == people(tmp_path / 'explicit')[1]
    for name in ('small.png', 'large.png'):
        drawn = read_image(tmp_path / 'default' / name)
        assert drawn.shape == read_image(photographs / name).shape


def test_the_box_that_was_found_gives_the_same_joints(photographs, call_tool,
                                                      tmp_path):
    call_tool('predict', photographs / 'large.png', '--out',
              tmp_path / 'found')
    (person, ) = people(tmp_path / 'found')[1]['large.png']
    call_tool('predict', photographs / 'large.png', '--out',
              tmp_path / 'given', '--bbox', *person['bbox'])
    (given, ) = people(tmp_path / 'given')[1]['large.png']
    # The box is written with two decimals; a heatmap that is low and flat
    # moves its maximum by more than that.
    np.testing.assert_allclose(
        np.array(given['keypoints']), person['keypoints'], atol=0.5)


def test_whole_image_is_one_box(photographs, call_tool, tmp_path):
    call_tool('predict', photographs / 'large.png', '--whole-image', '--out',
              tmp_path)
    (person, ) = people(tmp_path)[1]['large.png']
    assert person['bbox'] == [0, 0, 700, 500]


def test_a_config_alone_is_refused(project, photographs, error_of):
    error = error_of('predict', photographs, project.config)
    assert 'no checkpoint' in error and 'neither' in error
