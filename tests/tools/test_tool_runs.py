"""Train, test and predict with a tiny dataset.

tests/docs/test_commands.py browses one, tests/engine resumes, and tests/stress
has several processes.
"""
import json
import pickle

import cv2
import numpy as np
import pytest
from dumps import torso_distances
from pose_files import write_video
from tool_process import run_tool

from hourglass_plugin.skeletons import LSP
from hourglass_plugin.visualization import read_image, save_image
from hourglass_plugin.weights import shipped_weights


def names_in(folder):
    return sorted(file.name for file in folder.iterdir())


def predictions_in(folder):
    return json.loads((folder / 'predictions.json').read_text())


def test_first_screen_is_short_and_the_log_file_is_complete(trained):
    lines = trained.screen.splitlines()
    assert 'hourglass_plugin' in lines[0]
    # Five people in batches of two are three iterations.
    iterations = [line for line in lines if 'Epoch(train)' in line]
    assert len(iterations) == 3 and lines.index(iterations[0]) < 8
    assert not any('optim_wrapper' in line for line in lines)
    log = next(trained.work_dir.glob('*/*.log')).read_text()
    assert 'System environment' in log and 'optim_wrapper = dict(' in log


@pytest.fixture(scope='module')
def tested(trained, tmp_path_factory):
    """Scores, dumped predictions and pictures of the trained network."""
    out = tmp_path_factory.mktemp('tested')
    run_tool(
        'test', trained.config, trained.checkpoint, '--work-dir', out / 'work',
        '--out', out / 'new' / 'scores.json', '--dump',
        out / 'new' / 'people.pkl', '--show-dir', out / 'pictures',
        '--interval', '2')
    return out


def test_scores_and_pictures_are_those_of_the_predictions(tested):
    scores = json.loads((tested / 'new' / 'scores.json').read_text())
    people = pickle.loads((tested / 'new' / 'people.pkl').read_bytes())
    distances = np.array([torso_distances(person) for person in people])
    for threshold in (1.5, 0.5):
        # Every joint is annotated: the mean is that of all joints.
        share = 100 * np.mean(distances <= threshold)
        assert scores[f'lsp/PCK@{threshold}'] == pytest.approx(share)
    assert 0 < scores['lsp/PCK@1.5'] < 100
    # Every second person, and its heatmap beside it.
    assert names_in(tested / 'pictures') == [
        'sheet.jpg', 'val0_0.jpg', 'val2_2.jpg', 'val4_4.jpg']
    picture = read_image(tested / 'pictures' / 'val0_0.jpg')
    assert picture.shape == (512, 1026, 3)


@pytest.fixture
def cache(monkeypatch, tmp_path_factory):
    """Compiled networks stay in the tests' folder."""
    folder = tmp_path_factory.mktemp('cache')
    monkeypatch.setenv('XDG_CACHE_HOME', str(folder))


@pytest.mark.parametrize('precision', ['float32', 'int8'])
def test_fast_scores_are_the_same(precision, trained, tested, cache,
                                  call_tool, tmp_path):
    call_tool('test', trained.config, trained.checkpoint, '--work-dir',
              tmp_path, '--out', tmp_path / 'scores.json', '--fast', precision)
    fast, expected = (json.loads((folder / 'scores.json').read_text())
                      for folder in (tmp_path, tested / 'new'))
    assert list(fast) == list(expected)
    if precision == 'float32':  # int8 moves joints of so short a training
        assert fast == expected


@pytest.mark.parametrize('fast', [[], ['--fast']])
def test_predicting_with_the_datasets_box_gives_the_datasets_result(
        trained, tested, cache, call_tool, tmp_path, fast):
    people = pickle.loads((tested / 'new' / 'people.pkl').read_bytes())
    expected = people[0]['pred_instances']
    # Centre (48, 49) and size 0.4 * 200 = 80 pixels.
    call_tool('predict', trained.folder / 'images' / 'val0.png',
              trained.config, trained.checkpoint, '--out', tmp_path, '--bbox',
              8, 9, 88, 89, '--bbox', 0, 0, 50, 50, '--device', 'cpu', *fast)
    assert names_in(tmp_path) == ['predictions.json', 'val0.png']
    result = predictions_in(tmp_path)
    assert result['joints'] == list(LSP.joints)
    (image, ) = result['predictions']
    assert (image['file'], image['width'], image['height']) == (
        'val0.png', 100, 100)
    first, second = image['people']
    assert first['bbox'] == [8, 9, 88, 89]
    joints = np.array(first['keypoints'])
    # Written with two decimals, scores with four; batches of another size
    # are summed in another order.
    np.testing.assert_allclose(
        joints[:, :2], expected['keypoints'][0], atol=0.006)
    np.testing.assert_allclose(
        joints[:, 2], expected['keypoint_scores'][0], atol=1e-4)
    assert second['keypoints'] != first['keypoints']


def test_default_is_what_config_and_checkpoint_give(trained, call_tool,
                                                    tmp_path):
    """And importing less, in a process of its own, changes no number."""
    images = tmp_path / 'images'
    small = read_image(trained.folder / 'images' / 'val0.png')
    large = np.zeros((250, 350, 3), np.uint8)
    large[100:200, 200:300] = small
    for name, image in (('small.png', small), ('large.png', large)):
        save_image(images / name, image)
    finished = run_tool('predict', images, '--out', tmp_path / 'default')
    assert finished.stderr == ''  # nothing that the user could not act on
    call_tool('predict', images, *shipped_weights(), '--out',
              tmp_path / 'explicit')
    answer = predictions_in(tmp_path / 'default')
    assert (answer['config'], answer['checkpoint']) == shipped_weights()
    assert answer == predictions_in(tmp_path / 'explicit')
    drawn = read_image(tmp_path / 'default' / 'large.png')
    assert drawn.shape == large.shape


def test_folder_with_a_damaged_image_and_a_name_not_in_utf8(
        trained, call_tool, error_of, tmp_path):
    """OpenCV must not see such names: it ends the process."""
    images, out = tmp_path / 'images', tmp_path / 'out'
    images.mkdir()
    source = trained.folder / 'images' / 'val0.png'
    names = ['caf\udce9.png', 'val0.png']
    for name in names:
        (images / name).write_bytes(source.read_bytes())
    (images / 'damaged.jpg').write_bytes(b'nothing')
    (images / 'notes.txt').write_text('not an image')
    common = (trained.config, trained.checkpoint, '--whole-image', '--out')
    with pytest.raises(SystemExit) as stopped:
        call_tool('predict', images, *common, out, '--score-threshold', '-1')
    assert 'damaged.jpg' in stopped.value.code
    assert names_in(out) == [names[0], 'predictions.json', names[1]]
    first, second = predictions_in(out)['predictions']
    assert [first['file'], second['file']] == names
    assert first['people'] == second['people']
    assert first['people'][0]['bbox'] == [0, 0, 100, 100]
    assert (read_image(out / 'val0.png') != read_image(source)).any()
    (tmp_path / 'caf\udce9.mp4').write_bytes(b'nothing')
    assert 'caf\\udce9' in error_of(
        'predict', tmp_path / 'caf\udce9.mp4', *common, tmp_path / 'b')


def test_video_frame_by_frame(trained, call_tool, error_of, tmp_path):
    source = tmp_path / 'walk.avi'
    write_video(source, [np.full((48, 64, 3), brightness, np.uint8)
                         for brightness in (0, 100, 200)])
    arguments = ('predict', source, trained.config, trained.checkpoint,
                 '--batch-size', 2, '--out')
    assert 'caf\\udce9' in error_of(*arguments, tmp_path / 'caf\udce9')
    call_tool(*arguments, tmp_path / 'out')
    assert names_in(tmp_path / 'out') == ['predictions.json', 'walk.mp4']
    records = predictions_in(tmp_path / 'out')['predictions']
    assert [record['frame'] for record in records] == [0, 1, 2]
    drawn = cv2.VideoCapture(str(tmp_path / 'out' / 'walk.mp4'))
    for _ in range(3):
        assert drawn.read()[1].shape == (48, 64, 3)
    assert not drawn.read()[0]
