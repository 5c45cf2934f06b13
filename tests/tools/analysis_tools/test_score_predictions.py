"""score_predictions.py from files to table, JSON and plot."""
import json
import pickle

import numpy as np
import pytest
from scipy.io import savemat

from hourglass_plugin.visualization import read_image

TRUTH = np.random.default_rng(0).integers(1, 300, (4, 16, 2)).astype(float)
WRIST = 15


@pytest.fixture
def ground_truth(tmp_path):
    """Four people with head boxes of 3 x 4: head size 3."""
    boxes = np.zeros((2, 2, 4))
    boxes[1] = [[3], [4]]
    path = tmp_path / 'mpii_gt_val.mat'
    savemat(
        path,
        dict(
            pos_gt_src=TRUTH.transpose(1, 2, 0),
            jnt_missing=np.zeros((16, 4)),
            headboxes_src=boxes))
    return path


@pytest.fixture
def files(tmp_path):
    """Perfect predictions from 0, one wrong wrist from 1, everything wrong."""
    zero, one, wrong = (tmp_path / name
                        for name in ('zero.json', 'one.npy', 'wrong.mat'))
    zero.write_text(json.dumps((TRUTH - 1).tolist()))
    predicted = TRUTH.copy()
    predicted[2, WRIST, 0] += 1.6
    np.save(one, predicted)
    savemat(wrong, dict(preds=TRUTH + 100))
    return zero, one, wrong


def test_table_of_one_file(call_tool, ground_truth, files, capsys):
    call_tool('score_predictions', '--dataset', 'mpii', '--ground-truth',
              ground_truth, files[1], '--one-based')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ('mpii, one.npy: percent of correct joints of 4 '
                        'people, 64 annotated joints')
    assert lines[1].split()[:3] == ['Head', 'Shoulder', 'Elbow']
    # One of 8 wrists, of 56 joints without pelvis and thorax, of 64, of 32.
    assert lines[2].split() == [
        'PCKh@0.5', '100.00', '100.00', '100.00', '87.50', '100.00', '100.00',
        '100.00', '98.21', '98.44', '96.88'
    ]
    assert not any('Comparison' in line for line in lines)


def test_comparison_of_both_conventions(call_tool, ground_truth, files,
                                        tmp_path, capsys):
    out, curve = tmp_path / 'new' / 'scores.json', tmp_path / 'new' / 'c.png'
    zero, one, wrong = files
    call_tool('score_predictions', '--dataset', 'mpii', '--ground-truth',
              ground_truth, one, wrong, '--one-based', '--others', zero,
              '--out', out, '--curve', curve)
    printed = capsys.readouterr().out
    rows = printed[printed.index('Comparison, PCKh@0.5'):].splitlines()[1:]
    assert rows[0].split()[-4:] == ['AKEW', 'PCKh@0.2', 'PCKh@0.1', 'AUC']
    means = {row.split()[0]: row.split()[8] for row in rows[1:]}
    assert means == {'one.npy': '98.21', 'wrong.mat': '0.00', 'zero.json':
                     '100.00'}
    scores = json.loads(out.read_text())
    assert list(scores) == [str(one), str(wrong), str(zero)]
    assert set(scores[str(zero)].values()) == {100.0}
    assert scores[str(one)]['mpii/PCKh@0.5/Wrist'] == 87.5
    assert read_image(curve).shape[2] == 3


def test_the_wrong_convention_costs(call_tool, ground_truth, files, capsys):
    """A diagonal pixel is 0.47 head sizes of 3: fine at 0.5, not at 0.2."""
    call_tool('score_predictions', '--dataset', 'mpii', '--ground-truth',
              ground_truth, files[0], '--one-based')
    rows = capsys.readouterr().out.splitlines()[2:4]
    assert [row.split()[8] for row in rows] == ['100.00', '0.00']


def test_dump_in_another_order(call_tool, ground_truth, tmp_path, capsys):
    path = tmp_path / 'people.pkl'
    path.write_bytes(
        pickle.dumps([
            dict(
                id=index,
                img_path=f'{index}.jpg',
                pred_instances=dict(keypoints=TRUTH[index:index + 1] - 1),
                gt_instances=dict(
                    keypoints=TRUTH[index:index + 1] - 1,
                    keypoints_visible=np.ones((1, 16))))
            for index in (2, 0, 3, 1)
        ]))
    call_tool('score_predictions', '--dataset', 'mpii', '--ground-truth',
              ground_truth, path, '--zero-based')
    assert capsys.readouterr().out.splitlines()[2].split()[8] == '100.00'


def test_errors(error_of, call_tool, ground_truth, files, tmp_path, capsys):
    common = ('score_predictions', '--dataset', 'mpii', '--ground-truth',
              ground_truth)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps([]))
    np.save(tmp_path / 'few.npy', TRUTH[:3])
    # The same file by another path.
    other = tmp_path / '..' / tmp_path.name / files[0].name
    for arguments, named in (
        ([tmp_path / 'a.pkl'], 'a.pkl'),
        ([tmp_path / 'few.npy'], 'few.npy'),
        ([files[0], '--others', files[0]], '--others'),
        ([files[0], '--others', files[1], other], '--others'),
        ([files[1], '--curve', tmp_path / 'curve.docx'], 'curve.docx'),
    ):
        assert named in error_of(*common, '--one-based', *arguments)
    with pytest.raises(SystemExit) as stopped:  # the first pixel: no default
        call_tool(*common, files[0])
    assert stopped.value.code == 2
    assert '--zero-based' in capsys.readouterr().err
