"""Files of predictions: what is written is read, whatever the format."""
import io
import json
import os
import pickle

import h5py
import numpy as np
import pytest
import torch
from scipy.io import savemat

from hourglass_plugin.evaluation.files.predictions import read_predictions
from hourglass_plugin.evaluation.files.submissions import (
    PredictedPerson,
    flic_predictions,
    mpii_predictions,
    write_mat,
)
from hourglass_plugin.skeletons import FLIC, MPII

PEOPLE = np.random.default_rng(0).uniform(-20, 500, (5, 16, 2))
WITH_SCORES = np.concatenate([PEOPLE, np.ones((5, 16, 1))], axis=2)


def write_h5(path, **arrays):
    with h5py.File(path, 'w') as file:
        for name, array in arrays.items():
            file[name.replace('__', '/')] = array


def write_matlab_73(path, **arrays):
    """As MATLAB does: a header of 512 bytes, then HDF5 with axes reversed."""
    with h5py.File(path, 'w', userblock_size=512) as file:
        for name, array in arrays.items():
            file[name] = np.transpose(array)
    with open(path, 'r+b') as file:
        file.write(b'MATLAB 7.3 MAT-file, Platform: GLNXA64')


def write_json(path, content):
    path.write_text(json.dumps(content))


FILES = {
    'preds.h5': lambda path: write_h5(path, preds=PEOPLE),
    'torch_code.h5': lambda path: write_h5(
        path,
        preds=np.concatenate([PEOPLE, PEOPLE / 4, PEOPLE[..., :1]], axis=2),
        heatmaps=np.zeros((5, 16, 8, 8))),
    'nested.h5': lambda path: write_h5(
        path,
        preds__xy=PEOPLE.transpose(2, 1, 0),
        preds__score=np.ones((5, 16)),
        input=PEOPLE[:, :1]),
    'only.h5': lambda path: write_h5(path, anything=PEOPLE),
    'preds.mat': lambda path: savemat(path, dict(preds=PEOPLE, n=5)),
    'scores.mat': lambda path: savemat(path, dict(pred=WITH_SCORES)),
    'reversed.mat': lambda path: savemat(
        path, dict(preds=PEOPLE.transpose(2, 1, 0))),
    'like_truth.mat': lambda path: savemat(
        path,
        dict(pos_pred_src=PEOPLE.transpose(1, 2, 0),
             pos_gt_src=PEOPLE.transpose(1, 2, 0) + 9)),
    'new.mat': lambda path: write_matlab_73(path, preds=PEOPLE),
    'a.npy': lambda path: np.save(path, PEOPLE),
    'f.npy': lambda path: np.save(path, np.asfortranarray(WITH_SCORES)),
    'lists.json': lambda path: write_json(path, PEOPLE.tolist()),
    'scores.json': lambda path: write_json(path, WITH_SCORES.tolist()),
    'coco.json': lambda path: write_json(path, [
        dict(image_id=0, score=1, keypoints=person.ravel().tolist())
        for person in WITH_SCORES
    ]),
    'dict.json': lambda path: write_json(path, dict(preds=PEOPLE.tolist())),
}


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('first_pixel', [0, 1])
def test_round_trip(name, first_pixel, tmp_path):
    FILES[name](tmp_path / name)
    found = read_predictions(tmp_path / name, MPII, 5, first_pixel)
    np.testing.assert_array_equal(found.keypoints, PEOPLE - first_pixel)


def test_integers_are_read(tmp_path):
    np.save(tmp_path / 'a.npy', PEOPLE.astype(np.int16))
    found = read_predictions(tmp_path / 'a.npy', MPII, 5, 1).keypoints
    np.testing.assert_array_equal(found, PEOPLE.astype(np.int16) - 1.0)


@pytest.mark.parametrize('write', [
    lambda path, array: np.save(path.with_suffix('.npy'), array),
    lambda path, array: savemat(
        path.with_suffix('.mat'), dict(preds=array)),
])
@pytest.mark.parametrize('axes', [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize('count', [1, 5])
def test_order_of_axes_is_inferred_from_lengths(axes, count, write, tmp_path):
    array = PEOPLE[:count].transpose(axes)
    write(tmp_path / 'a', array[..., 0] if array.shape[2] == 1 else array)
    path, = tmp_path.iterdir()
    found = read_predictions(path, MPII, count, 0).keypoints
    np.testing.assert_array_equal(found, PEOPLE[:count])


def test_two_people_are_ambiguous_without_a_score(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, PEOPLE[:2])
    with pytest.raises(ValueError):
        read_predictions(path, MPII, 2, 0)
    np.save(path, WITH_SCORES[:2])
    np.testing.assert_array_equal(
        read_predictions(path, MPII, 2, 0).keypoints, PEOPLE[:2])
    # Three people of x, y or two people of x, y, score: the truth knows.
    np.save(path, PEOPLE[:3])
    np.testing.assert_array_equal(
        read_predictions(path, MPII, 3, 0).keypoints, PEOPLE[:3])


@pytest.mark.parametrize('arrays', [
    dict(heatmaps=np.zeros((5, 16, 64, 64))),
    dict(preds=np.zeros((5, 14, 2))),
    dict(a=PEOPLE, b=PEOPLE),
    dict(preds__a=PEOPLE, preds__b=PEOPLE),
    dict(),
    dict(preds=PEOPLE[:4]),
], ids=['heatmaps', 'joints', 'two', 'two names', 'none', 'people'])
def test_arrays_other_than_predictions_are_refused(arrays, tmp_path):
    write_h5(tmp_path / 'a.h5', **arrays)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.h5', MPII, 5, 0)


@pytest.mark.parametrize('content', [
    3,
    dict(a=1),
    [[[1, 2]] * 15],
    [[[1, 2]] * 16, [[1, 2, 3, 4]] * 16],
    [dict(image_id=3)],
    [[['a', 2]] * 16],
], ids=['no list', 'name', 'joints', 'numbers', 'keypoints', 'text'])
def test_json_without_predictions_is_refused(content, tmp_path):
    write_json(tmp_path / 'a.json', content)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.json', MPII, 5, 0)


@pytest.mark.parametrize(
    'name', ['a.h5', 'a.mat', 'a.npy', 'a.json', 'a.pkl', 'a.txt'])
def test_damaged_and_missing_files(name, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_predictions(tmp_path / name, MPII, 5, 0)
    (tmp_path / name).write_bytes(b'nothing that is of use')
    with pytest.raises(ValueError, match=name):
        read_predictions(tmp_path / name, MPII, 5, 0)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / 'a.npy', np.array([dict()]), allow_pickle=True)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.npy', MPII, 5, 0)


def people_for(skeleton, indices):
    return [
        PredictedPerson(
            image=f'{index[0]}.jpg',
            keypoints=PEOPLE[row, :skeleton.num_keypoints],
            official_index=index,
            bbox=np.array([0, 0, 200, 200]))
        for row, index in enumerate(indices)
    ]


def test_submission_to_mpii(tmp_path):
    """Two people in an image with a third who was not predicted."""
    indices = [(3, 0), (7, 0), (7, 2), (9, 1), (12, 0)]
    pred = mpii_predictions(people_for(MPII, indices))
    write_mat(str(tmp_path / 'a.mat'), 'pred', pred)
    found = read_predictions(tmp_path / 'a.mat', MPII, 5, 1).keypoints
    # Counting from 1 and back loses the last bit.
    np.testing.assert_allclose(found, PEOPLE, atol=1e-12)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.mat', FLIC, 5, 1)


def test_flics_own_file(tmp_path):
    indices = [(row, 0) for row in range(5)]
    write_mat(
        str(tmp_path / 'a.mat'), 'examples',
        flic_predictions(people_for(FLIC, indices)))
    found = read_predictions(tmp_path / 'a.mat', FLIC, 5, 1).keypoints
    np.testing.assert_allclose(found, PEOPLE[:, :11], atol=1e-12)


def samples(ids):
    """Samples as mmengine dumps them, with unused keys."""
    return [
        dict(
            id=index,
            img_path=f'data/images/{index}.jpg',
            raw_ann_info=dict(official_index=(index, 0)),
            pred_fields=dict(heatmaps=torch.ones(2, 3)),
            pred_instances=dict(
                keypoints=PEOPLE[index:index + 1].astype(np.float32),
                keypoint_scores=np.ones((1, 16), np.float32)),
            gt_instances=dict(
                keypoints=PEOPLE[index:index + 1] + 1,
                head_size=np.float32(3),
                keypoints_visible=np.eye(16, dtype=np.float32)[index:index +
                                                              1]))
        for index in ids
    ]


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_dumps_are_sorted_by_id(protocol, tmp_path):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(samples([3, 0, 4, 1, 2]), protocol))
    found = read_predictions(path, MPII, 5, 0)
    np.testing.assert_array_equal(found.keypoints, PEOPLE.astype(np.float32))
    assert found.images == [f'{index}.jpg' for index in range(5)]
    annotated = np.isfinite(found.truth).all(axis=2)
    np.testing.assert_array_equal(annotated, np.eye(16)[:5])
    np.testing.assert_array_equal(found.truth[annotated],
                                  PEOPLE[annotated] + 1)


def test_dump_with_every_stack(tmp_path):
    people = samples([1, 0])
    for person in people:
        keypoints = person['pred_instances']['keypoints']
        person['pred_instances']['stack_keypoints'] = np.stack(
            [keypoints * 2, keypoints], axis=1)
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(people))
    found = read_predictions(tmp_path / 'a.pkl', MPII, 2, 0)
    np.testing.assert_array_equal(found.stacks[:, 0], found.keypoints * 2)
    np.testing.assert_array_equal(found.stacks[:, 1], found.keypoints)
    del people[0]['pred_instances']['stack_keypoints']
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(people))
    assert read_predictions(tmp_path / 'a.pkl', MPII, 2, 0).stacks is None


@pytest.mark.parametrize('module', ['numpy.core', 'numpy._core'])
def test_dump_of_another_numpy(module, tmp_path):
    """NumPy 1 wrote the one name, NumPy 2 writes the other; protocol 0 has
    them as lines of text."""
    content = pickle.dumps(samples(range(5)), 0)
    content = content.replace(b'numpy._core.', b'numpy.core.').replace(
        b'numpy.core.', module.encode() + b'.')
    (tmp_path / 'a.pkl').write_bytes(content)
    found = read_predictions(tmp_path / 'a.pkl', MPII, 5, 0)
    np.testing.assert_array_equal(found.keypoints, PEOPLE.astype(np.float32))


class Program:

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_a_pickle_executes_no_code(tmp_path):
    path = tmp_path / 'a.pkl'
    trace = tmp_path / 'trace'
    path.write_bytes(pickle.dumps([Program(os.mkdir, str(trace))]))
    with pytest.raises(ValueError):
        read_predictions(path, MPII, 5, 0)
    # The same inside of what is said to be a tensor's numbers.
    inner = io.BytesIO()
    torch.save([Program(os.mkdir, str(trace))], inner)
    path.write_bytes(
        pickle.dumps([
            Program(torch.storage._load_from_bytes, inner.getvalue())
        ]))
    with pytest.raises(ValueError):
        read_predictions(path, MPII, 5, 0)
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
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.pkl', skeleton, 5, first_pixel)
