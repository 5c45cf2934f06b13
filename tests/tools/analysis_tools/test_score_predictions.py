"""score_predictions.py from files to table, JSON and plot."""
import json
import pickle

import numpy as np
import pytest
from matlab_files import write_head_boxes
from scipy.io import savemat

from hourglass_plugin.visualization import read_image

TRUTH = np.random.default_rng(0).integers(1, 300, (4, 16, 2)).astype(float)
WRIST = 15


@pytest.fixture
def arguments(tmp_path):
    """Four people with head boxes of 3 x 4, head size 3; predictions of them:
    perfect ones from 0, one wrong wrist from 1, everything wrong."""
    annotated = [dict(joints=joints, joints_vis=[1] * 16) for joints in TRUTH]
    write_head_boxes(tmp_path / 'mpii_gt_val.mat', annotated,
                     [[[0, 0], [3, 4]]] * 4)
    np.save(tmp_path / 'zero.npy', TRUTH - 1)
    predicted = TRUTH.copy()
    predicted[2, WRIST, 0] += 1.6
    np.save(tmp_path / 'one.npy', predicted)
    savemat(tmp_path / 'wrong.mat', dict(preds=TRUTH + 100))
    np.save(tmp_path / 'few.npy', TRUTH[:3])
    (tmp_path / 'people.pkl').write_bytes(pickle.dumps([
        dict(id=index, img_path=f'{index}.jpg', pred_instances=dict(
            keypoints=TRUTH[index:index + 1] - 1)) for index in (2, 0, 3, 1)]))
    return ('score_predictions', '--dataset', 'mpii', '--ground-truth',
            tmp_path / 'mpii_gt_val.mat')


def test_table_of_one_file(call_tool, arguments, tmp_path, capsys):
    call_tool(*arguments, tmp_path / 'one.npy', '--one-based')
    lines = capsys.readouterr().out.splitlines()
    assert 'one.npy' in lines[0]
    assert lines[1].split()[:3] == ['Head', 'Shoulder', 'Elbow']
    # One of 8 wrists, of 56 joints without pelvis and thorax, of 64, of 32.
    assert lines[2].split() == [
        'PCKh@0.5', '100.00', '100.00', '100.00', '87.50', '100.00', '100.00',
        '100.00', '98.21', '98.44', '96.88']
    assert not any('Comparison' in line for line in lines)


def test_comparison_of_both_conventions(call_tool, arguments, tmp_path,
                                        capsys):
    out, curve = tmp_path / 'new' / 'scores.json', tmp_path / 'new' / 'c.png'
    zero, one, wrong = (tmp_path / name
                        for name in ('zero.npy', 'one.npy', 'wrong.mat'))
    call_tool(*arguments, one, wrong, '--one-based', '--others', zero, '--out',
              out, '--curve', curve)
    printed = capsys.readouterr().out
    rows = printed[printed.index('Comparison, PCKh@0.5'):].splitlines()[1:]
    assert rows[0].split()[-4:] == ['AKEW', 'PCKh@0.2', 'PCKh@0.1', 'AUC']
    assert {row.split()[0]: row.split()[8] for row in rows[1:]} == {
        'one.npy': '98.21', 'wrong.mat': '0.00', 'zero.npy': '100.00'}
    scores = json.loads(out.read_text())
    assert list(scores) == [str(one), str(wrong), str(zero)]
    assert set(scores[str(zero)].values()) == {100.0}
    assert scores[str(one)]['mpii/PCKh@0.5/Wrist'] == 87.5
    assert read_image(curve).shape[2] == 3


@pytest.mark.parametrize('name, convention, means', [
    # A diagonal pixel is 0.47 head sizes of 3: fine at 0.5, not at 0.2.
    ('zero.npy', '--one-based', ['100.00', '0.00']),
    ('people.pkl', '--zero-based', ['100.00', '100.00']),  # in another order
])
def test_the_wrong_convention_costs(name, convention, means, call_tool,
                                    arguments, tmp_path, capsys):
    call_tool(*arguments, tmp_path / name, convention)
    rows = capsys.readouterr().out.splitlines()[2:4]
    assert [row.split()[8] for row in rows] == means


@pytest.mark.parametrize('more, named', [
    (['people.pkl'], 'people.pkl'),
    (['few.npy'], 'few.npy'),
    (['zero.npy', '--others', 'one.npy', './zero.npy'], '--others'),
    (['one.npy', '--curve', 'curve.docx'], 'curve.docx'),
])
def test_errors(more, named, error_of, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named in error_of(*arguments, '--one-based', *more)
