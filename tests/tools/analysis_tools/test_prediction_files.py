"""Files of predictions: what is written is read, whatever the format."""
import io
import os
import pickle

import h5py
import numpy as np
import pytest
import torch
from prediction_files import read_predictions
from scipy.io import savemat

from hourglass_plugin.skeletons import FLIC, MPII

PEOPLE = np.random.default_rng(0).uniform(-20, 500, (5, 16, 2))
WITH_SCORES = np.concatenate([PEOPLE, np.ones((5, 16, 1))], axis=2)


def write(path, content):
    """Write a dict of arrays, an array, or what pickle takes."""
    if path.suffix == '.h5':
        with h5py.File(path, 'w') as file:
            file.update(content)
    elif path.suffix == '.mat':
        savemat(path, content)
    elif path.suffix == '.npy':
        np.save(path, content)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize('name, content', [
    ('preds.h5', dict(preds=PEOPLE)),
    ('torch_code.h5', dict(
        preds=np.concatenate([PEOPLE, PEOPLE / 4, PEOPLE[..., :1]], axis=2),
        heatmaps=np.zeros((5, 16, 8, 8)))),
    ('preds.mat', dict(preds=PEOPLE, n=5)),
    ('scores.mat', dict(pred=WITH_SCORES)),
    ('like_truth.mat', dict(
        pos_pred_src=PEOPLE.transpose(1, 2, 0),
        pos_gt_src=PEOPLE.transpose(1, 2, 0) + 9)),
    ('f.npy', np.asfortranarray(WITH_SCORES)),
])
@pytest.mark.parametrize('first_pixel', [0, 1])
def test_round_trip(name, content, first_pixel, tmp_path):
    path = write(tmp_path / name, content)
    found = read_predictions(path, MPII, 5, first_pixel)
    np.testing.assert_array_equal(found.keypoints, PEOPLE - first_pixel)


@pytest.mark.parametrize('axes', [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize('count', [1, 5])
def test_order_of_axes_is_inferred_from_lengths(axes, count, tmp_path):
    people = PEOPLE[:count].astype(np.int16)
    array = people.transpose(axes)
    array = array[..., 0] if array.shape[2] == 1 else array  # as MATLAB
    path = write(tmp_path / 'a.npy', array)
    found = read_predictions(path, MPII, count, 0).keypoints
    np.testing.assert_array_equal(found, people)


def test_two_people_are_ambiguous_without_a_score(tmp_path):
    path = write(tmp_path / 'a.npy', PEOPLE[:2])
    with pytest.raises(ValueError):
        read_predictions(path, MPII, 2, 0)
    # Three people of x, y or two people of x, y, score: the truth knows.
    for array in (WITH_SCORES[:2], PEOPLE[:3]):
        found = read_predictions(write(path, array), MPII, len(array), 0)
        np.testing.assert_array_equal(found.keypoints, array[..., :2])


@pytest.mark.parametrize('name, content', [
    ('heatmaps.h5', dict(heatmaps=np.zeros((5, 16, 64, 64)))),
    ('joints.h5', dict(preds=np.zeros((5, 14, 2)))),
    ('two.h5', dict(preds=PEOPLE, pred=PEOPLE)),
    ('group.h5', {'preds/xy': PEOPLE}),
    ('other.h5', dict(anything=PEOPLE)),
    ('none.h5', {}),
    ('people.h5', dict(preds=PEOPLE[:4])),
    ('pickle.npy', np.array([dict()])),
])
def test_files_without_one_array_of_predictions_are_refused(
        name, content, tmp_path):
    with pytest.raises(ValueError):
        read_predictions(write(tmp_path / name, content), MPII, 5, 0)


@pytest.mark.parametrize(
    'name', ['a.h5', 'a.mat', 'a.npy', 'a.pkl', 'a.txt'])
def test_damaged_and_missing_files(name, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_predictions(tmp_path / name, MPII, 5, 0)
    (tmp_path / name).write_bytes(b'nothing that is of use')
    with pytest.raises(ValueError, match=name):
        read_predictions(tmp_path / name, MPII, 5, 0)


def samples(ids):
    """Samples as mmengine dumps them, with unused keys."""
    return [dict(
        id=index, img_path=f'data/images/{index}.jpg',
        pred_fields=dict(heatmaps=torch.ones(2, 3)),
        pred_instances=dict(
            keypoints=PEOPLE[index:index + 1].astype(np.float32),
            keypoint_scores=np.ones((1, 16), np.float32)),
        gt_instances=dict(head_size=np.float32(3))) for index in ids]


@pytest.mark.parametrize('protocol, module', [
    (2, None), (4, None), (5, None),
    # NumPy 1 wrote the one name, NumPy 2 writes the other; protocol 0 has
    # them as lines of text.
    (0, b'numpy.core.'), (0, b'numpy._core.')])
def test_dumps_are_sorted_by_id(protocol, module, tmp_path):
    content = pickle.dumps(samples([3, 0, 4, 1, 2]), protocol)
    if module is not None:
        content = content.replace(b'numpy._core.', b'numpy.core.').replace(
            b'numpy.core.', module)
    (tmp_path / 'a.pkl').write_bytes(content)
    found = read_predictions(tmp_path / 'a.pkl', MPII, 5, 0)
    np.testing.assert_array_equal(found.keypoints, PEOPLE.astype(np.float32))
    assert found.images == [f'{index}.jpg' for index in range(5)]


def test_dump_with_every_stack(tmp_path):
    people = samples([1, 0])
    for person in people:
        keypoints = person['pred_instances']['keypoints']
        person['pred_instances']['stack_keypoints'] = np.stack(
            [keypoints * 2, keypoints], axis=1)
    path = write(tmp_path / 'a.pkl', people)
    found = read_predictions(path, MPII, 2, 0)
    np.testing.assert_array_equal(found.stacks[:, 0], found.keypoints * 2)
    np.testing.assert_array_equal(found.stacks[:, 1], found.keypoints)
    del people[0]['pred_instances']['stack_keypoints']
    assert read_predictions(write(path, people), MPII, 2, 0).stacks is None


class Program:
    """Calls a function when it is unpickled."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('written, read', [
    ('a.pkl', 'a.pkl'), ('a.npy', 'a.npy'), ('a.pkl', 'a.npy')])
def test_no_file_executes_code(written, read, tmp_path):
    """Neither directly nor in a tensor's numbers, whatever the suffix."""
    trace, inner = tmp_path / 'trace', io.BytesIO()
    direct = Program(os.mkdir, (str(trace), ))
    pickle.loads(pickle.dumps(direct))  # it would
    trace.rmdir()
    torch.save([direct], inner)
    for program in (direct, Program(torch.storage._load_from_bytes,
                                    (inner.getvalue(), ))):
        path = write(tmp_path / written, np.array([program], object))
        with pytest.raises(ValueError):
            read_predictions(path.rename(tmp_path / read), MPII, 5, 0)
    assert not trace.exists()


@pytest.mark.parametrize('content, skeleton, first_pixel', [
    (dict(), MPII, 0),
    ([dict(id=0)], MPII, 0),
    (samples([0, 0]), MPII, 0),
    (samples([0, 1]), MPII, 0),
    (samples(range(5)), FLIC, 0),
    (samples(range(5)), MPII, 1),
], ids=['no list', 'no prediction', 'same id', 'people', 'joints', '1-based'])
def test_unusable_dumps_are_refused(content, skeleton, first_pixel, tmp_path):
    path = write(tmp_path / 'a.pkl', content)
    with pytest.raises(ValueError):
        read_predictions(path, skeleton, 5, first_pixel)
