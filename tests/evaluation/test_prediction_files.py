"""Files of predictions: what is written is read, whatever the format."""
import io
import json
import os
import pickle

import h5py
import numpy as np
import pytest
import torch
from matlab_files import mpii_point, struct, struct_array
from scipy.io import savemat

from hourglass_plugin.evaluation.files.predictions import read_predictions
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


def write_mat(path, **content):
    savemat(path, content)


def write_npy(path, array):
    np.save(path, array)


def write_json(path, content):
    path.write_text(json.dumps(content))


def write_pickle(path, content):
    path.write_bytes(pickle.dumps(content))


#: Name of the file, its writer, and what it is called with.
FILES = [
    ('preds.h5', write_h5, (), dict(preds=PEOPLE)),
    ('torch_code.h5', write_h5, (), dict(
        preds=np.concatenate([PEOPLE, PEOPLE / 4, PEOPLE[..., :1]], axis=2),
        heatmaps=np.zeros((5, 16, 8, 8)))),
    ('nested.h5', write_h5, (), dict(
        preds__xy=PEOPLE.transpose(2, 1, 0),
        preds__score=np.ones((5, 16)), input=PEOPLE[:, :1])),
    ('only.h5', write_h5, (), dict(anything=PEOPLE)),
    ('preds.mat', write_mat, (), dict(preds=PEOPLE, n=5)),
    ('scores.mat', write_mat, (), dict(pred=WITH_SCORES)),
    ('like_truth.mat', write_mat, (), dict(
        pos_pred_src=PEOPLE.transpose(1, 2, 0),
        pos_gt_src=PEOPLE.transpose(1, 2, 0) + 9)),
    ('new.mat', write_matlab_73, (), dict(preds=PEOPLE)),
    ('f.npy', write_npy, [np.asfortranarray(WITH_SCORES)], {}),
    ('lists.json', write_json, [PEOPLE.tolist()], {}),
    ('scores.json', write_json, [WITH_SCORES.tolist()], {}),
    ('coco.json', write_json, [[
        dict(image_id=0, score=1, keypoints=person.ravel().tolist())
        for person in WITH_SCORES]], {}),
    ('dict.json', write_json, [dict(preds=PEOPLE.tolist())], {}),
]


@pytest.mark.parametrize('name, write, arguments, arrays', FILES)
@pytest.mark.parametrize('first_pixel', [0, 1])
def test_round_trip(name, write, arguments, arrays, first_pixel, tmp_path):
    write(tmp_path / name, *arguments, **arrays)
    found = read_predictions(tmp_path / name, MPII, 5, first_pixel)
    np.testing.assert_array_equal(found.keypoints, PEOPLE - first_pixel)


@pytest.mark.parametrize('name, write', [
    ('a.npy', write_npy),
    ('a.mat', lambda path, array: write_mat(path, preds=array)),
])
@pytest.mark.parametrize('axes', [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
@pytest.mark.parametrize('count', [1, 5])
def test_order_of_axes_is_inferred_from_lengths(axes, count, name, write,
                                                tmp_path):
    people = PEOPLE[:count].astype(np.int16)
    array = people.transpose(axes)
    write(tmp_path / name, array[..., 0] if array.shape[2] == 1 else array)
    found = read_predictions(tmp_path / name, MPII, count, 0).keypoints
    np.testing.assert_array_equal(found, people)


def test_two_people_are_ambiguous_without_a_score(tmp_path):
    path = tmp_path / 'a.npy'
    np.save(path, PEOPLE[:2])
    with pytest.raises(ValueError):
        read_predictions(path, MPII, 2, 0)
    # Three people of x, y or two people of x, y, score: the truth knows.
    for array in (WITH_SCORES[:2], PEOPLE[:3]):
        np.save(path, array)
        np.testing.assert_array_equal(
            read_predictions(path, MPII, len(array), 0).keypoints,
            array[..., :2])


@pytest.mark.parametrize('name, write, arguments, arrays', [
    ('heatmaps.h5', write_h5, (), dict(heatmaps=np.zeros((5, 16, 64, 64)))),
    ('joints.h5', write_h5, (), dict(preds=np.zeros((5, 14, 2)))),
    ('two.h5', write_h5, (), dict(a=PEOPLE, b=PEOPLE)),
    ('two_named.h5', write_h5, (), dict(preds__a=PEOPLE, preds__b=PEOPLE)),
    ('none.h5', write_h5, (), {}),
    ('people.h5', write_h5, (), dict(preds=PEOPLE[:4])),
    ('pickle.npy', write_npy, [np.array([dict()])], {}),
    ('no_list.json', write_json, [3], {}),
    ('name.json', write_json, [dict(a=1)], {}),
    ('joints.json', write_json, [[[[1, 2]] * 15]], {}),
    ('numbers.json', write_json,
     [[[[1, 2]] * 16, [[1, 2, 3, 4]] * 16]], {}),
    ('keypoints.json', write_json, [[dict(image_id=3)]], {}),
    ('text.json', write_json, [[[['a', 2]] * 16]], {}),
])
def test_files_without_one_array_of_predictions_are_refused(
        name, write, arguments, arrays, tmp_path):
    write(tmp_path / name, *arguments, **arrays)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / name, MPII, 5, 0)


@pytest.mark.parametrize(
    'name', ['a.h5', 'a.mat', 'a.npy', 'a.json', 'a.pkl', 'a.txt'])
def test_damaged_and_missing_files(name, tmp_path):
    with pytest.raises(FileNotFoundError):
        read_predictions(tmp_path / name, MPII, 5, 0)
    (tmp_path / name).write_bytes(b'nothing that is of use')
    with pytest.raises(ValueError, match=name):
        read_predictions(tmp_path / name, MPII, 5, 0)


def annopoints(person):
    return dict(
        annopoints=struct(
            point=struct_array(
                [mpii_point(k, x, y) for k, (x, y) in enumerate(person)])))


def test_submission_to_mpii(tmp_path):
    """Two people in an image with a third who was not predicted."""
    images = [[PEOPLE[0]], [PEOPLE[1], None, PEOPLE[2]], [PEOPLE[3]],
              [PEOPLE[4]]]
    pred = struct_array([
        dict(
            annorect=struct_array([
                dict() if person is None else annopoints(person)
                for person in people
            ])) for people in images
    ])
    savemat(tmp_path / 'a.mat', dict(pred=pred))
    found = read_predictions(tmp_path / 'a.mat', MPII, 5, 1).keypoints
    np.testing.assert_array_equal(found, PEOPLE - 1)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.mat', FLIC, 5, 1)


def test_flics_own_file(tmp_path):
    coords = np.full((5, 2, 29), np.nan)
    places = [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]  # columns of examples.mat
    coords[..., places] = PEOPLE[:, :11].transpose(0, 2, 1)
    for width in (29, 28):
        examples = struct_array([dict(coords=one[:, :width])
                                 for one in coords])
        savemat(tmp_path / f'{width}.mat', dict(examples=examples))
    found = read_predictions(tmp_path / '29.mat', FLIC, 5, 1).keypoints
    np.testing.assert_array_equal(found, PEOPLE[:, :11] - 1)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / '28.mat', FLIC, 5, 1)


def samples(ids):
    """Samples as mmengine dumps them, with unused keys."""
    return [
        dict(
            id=index,
            img_path=f'data/images/{index}.jpg',
            pred_fields=dict(heatmaps=torch.ones(2, 3)),
            pred_instances=dict(
                keypoints=PEOPLE[index:index + 1].astype(np.float32),
                keypoint_scores=np.ones((1, 16), np.float32)),
            gt_instances=dict(
                keypoints=PEOPLE[index:index + 1] + 1,
                head_size=np.float32(3),
                keypoints_visible=np.eye(16, dtype=np.float32)[[index]]))
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
    write_pickle(tmp_path / 'a.pkl', people)
    found = read_predictions(tmp_path / 'a.pkl', MPII, 2, 0)
    np.testing.assert_array_equal(found.stacks[:, 0], found.keypoints * 2)
    np.testing.assert_array_equal(found.stacks[:, 1], found.keypoints)
    del people[0]['pred_instances']['stack_keypoints']
    write_pickle(tmp_path / 'a.pkl', people)
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
    """Neither directly, nor in what should be a tensor's numbers."""
    trace = tmp_path / 'trace'
    inner = io.BytesIO()
    torch.save([Program(os.mkdir, str(trace))], inner)
    for program in (Program(os.mkdir, str(trace)),
                    Program(torch.storage._load_from_bytes,
                            inner.getvalue())):
        write_pickle(tmp_path / 'a.pkl', [program])
        with pytest.raises(ValueError):
            read_predictions(tmp_path / 'a.pkl', MPII, 5, 0)
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
    write_pickle(tmp_path / 'a.pkl', content)
    with pytest.raises(ValueError):
        read_predictions(tmp_path / 'a.pkl', skeleton, 5, first_pixel)
