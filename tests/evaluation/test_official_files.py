"""Predictions in official files: joints in their places, counted from 1."""
import errno
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from matlab_files import (
    mpii_person,
    mpii_point,
    struct_array,
    write_official_mpii,
)
from mmengine.evaluator import DumpResults
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS
from scipy.io import loadmat, savemat

from hourglass_plugin.evaluation.files.submissions import (
    PredictedPerson,
    count_unpredicted,
    flic_predictions,
    mpii_predictions,
    read_official_file,
    write_mat,
)
from hourglass_plugin.skeletons import FLIC


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def person(x, y, scale=1.5, joints=None):
    """An ``annorect``; joints are (16, 2), counted from 1."""
    points = None if joints is None else [
        mpii_point(k, *place, is_visible=1.0)
        for k, place in enumerate(joints)
    ]
    return mpii_person(points, (x, y), scale)


def joints_of(seed):
    """(16, 2), counted from 1, with fractions that double keeps."""
    return np.random.default_rng(seed).integers(4, 4000, (16, 2)) / 8


@pytest.fixture
def release_file(tmp_path):
    """Three images to test on, between two to train on."""
    path = tmp_path / 'release.mat'
    write_official_mpii(path, [
        ('a.jpg', True, [
            person(50, 60, joints=joints_of(0)),
            person(70, 80, joints=joints_of(1))
        ], [1, 2]),
        ('b.jpg', False, [person(10, 20), person(30, 40)], [2]),
        ('c.jpg', False, [], []),
        ('d.jpg', True, [person(90, 95, joints=joints_of(2))], [1]),
        ('e.jpg', False, [person(11, 12),
                          dict(x1=4.0),
                          person(13, 14)], [1, 3]),
    ])
    return str(path)


def predicted(image, index, joints):
    return PredictedPerson(image, joints - 1, index, np.zeros(4))


def read_back(path, name, content):
    write_mat(str(path), name, content)
    return loadmat(str(path), struct_as_record=True)[name]


def points(rect):
    """(16, 2) and ids of a read ``annorect``."""
    point = rect['annopoints'][0, 0]['point']
    assert point.shape == (1, 16)
    table = np.array([[float(p[k][0, 0]) for k in ('x', 'y', 'id')]
                      for p in point[0]])
    return table[:, :2], table[:, 2].tolist()


def test_submission_is_the_list_of_test_images_with_the_joints_put_in(
        release_file, tmp_path):
    release = read_official_file(release_file, 'mpii')
    people = [
        predicted('e.jpg', (4, 2), joints_of(7)),
        predicted('b.jpg', (1, 1), joints_of(5))
    ]
    pred = read_back(tmp_path / 'new' / 'pred.mat', 'pred',
                     mpii_predictions(people, release))
    assert pred.shape == (1, 3)
    names = [entry['image'][0, 0]['name'][0] for entry in pred[0]]
    assert names == ['b.jpg', 'c.jpg', 'e.jpg']
    # Everything else is the official file's, the empty image included.
    assert [entry['annorect'].size for entry in pred[0]] == [2, 0, 3]
    assert pred[0, 0]['vididx'].tolist() == [[3]]
    rects = [*pred[0, 0]['annorect'][0], *pred[0, 2]['annorect'][0]]
    centers = [
        rect['objpos'][0, 0]['x'].item() if rect['objpos'].size else None
        for rect in rects
    ]
    assert centers == [10, 30, 11, None, 13]
    assert rects[3]['x1'].item() == 4
    for rect, seed in zip(rects, (None, 5, None, None, 7)):
        if seed is None:
            assert rect['annopoints'].size == 0
        else:
            joints, ids = points(rect)
            np.testing.assert_array_equal(joints, joints_of(seed))
            assert ids == list(range(16))
    assert count_unpredicted(people, release) == (1, 3)  # (4, 0) is missing
    assert [file.name for file in (tmp_path / 'new').iterdir()] == ['pred.mat']


def test_people_of_training_images_get_no_truth_and_no_other_images(
        release_file, tmp_path):
    release = read_official_file(release_file, 'mpii')
    pred = read_back(
        tmp_path / 'pred.mat', 'pred',
        mpii_predictions([predicted('a.jpg', (0, 1), joints_of(9))], release))
    (entry, ) = pred[0]
    first, second = entry['annorect'][0]
    assert first['annopoints'].size == 0  # annotated in the official file
    np.testing.assert_array_equal(points(second)[0], joints_of(9))


def test_without_the_official_file_centres_are_the_annotated_ones(tmp_path):
    # Crop's middle (49, 81.5) and size 300, from 0: scale 1.5 and centre
    # (50, 82.5 - 15 * 1.5) from 1.
    someone = predicted(
        'a.jpg', (8, 1),
        joints_of(9))._replace(bbox=np.array([-101, -68.5, 199, 231.5]))
    pred = read_back(tmp_path / 'pred.mat', 'pred',
                     mpii_predictions([someone]))
    (entry, ) = pred[0]
    first, second = entry['annorect'][0]
    assert first['objpos'].size == first['annopoints'].size == 0
    position = second['objpos'][0, 0]
    assert (position['x'].item(), position['y'].item()) == (50, 60)
    assert second['scale'].item() == 1.5
    np.testing.assert_array_equal(points(second)[0], joints_of(9))


@pytest.mark.parametrize('image, index', [
    ('b.jpg', None),
    ('b.jpg', (1, 2)),
    ('x.jpg', (1, 1)),
    ('c.jpg', (2, 0)),
    ('b.jpg', (5, 0)),
])
def test_people_of_another_file_are_refused(release_file, image, index):
    release = read_official_file(release_file, 'mpii')
    with pytest.raises(ValueError):
        mpii_predictions([predicted(image, index, joints_of(0))], release)


def test_people_without_official_positions_are_numbered(tmp_path):
    """As HRNet's JSON has them: two people of b.jpg, one of a.jpg between."""
    someone = [
        predicted(image, None, joints_of(seed))
        for seed, image in enumerate(['b.jpg', 'a.jpg', 'b.jpg'])
    ]
    pred = read_back(tmp_path / 'pred.mat', 'pred', mpii_predictions(someone))
    names = [entry['image'][0, 0]['name'][0] for entry in pred[0]]
    assert names == ['b.jpg', 'a.jpg']
    found = [[points(rect)[0].tolist() for rect in entry['annorect'][0]]
             for entry in pred[0]]
    first, second, third = (joints_of(seed).tolist() for seed in range(3))
    assert found == [[first, third], [second]]


def test_a_person_twice_is_refused():
    with pytest.raises(ValueError):
        mpii_predictions([predicted('a.jpg', (0, 1), joints_of(0))] * 2)


# Columns of examples.mat, written out a second time.
FLIC_PLACES = [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]


def flic_person(row, seed):
    joints = np.random.default_rng(seed).integers(8, 4000, (11, 2)) / 8
    return PredictedPerson(f'film-{row}.jpg', joints - 1, (row, 0),
                           np.zeros(4)), joints


def test_flic_in_the_official_order_with_the_official_fields(tmp_path):
    examples = struct_array([
        dict(
            filepath=f'film-{row}.jpg',
            coords=np.ones((2, 29)),
            moviename='film',
            istrain=row == 1,
            istest=row != 1) for row in range(4)
    ])
    savemat(tmp_path / 'examples.mat', dict(examples=examples))
    official = read_official_file(str(tmp_path / 'examples.mat'), 'flic')
    (late, late_joints), (early, early_joints) = (flic_person(3, 0),
                                                  flic_person(1, 1))
    back = read_back(tmp_path / 'pred.mat', 'examples',
                     flic_predictions([late, early], official))
    assert [row['filepath'][0]
            for row in back[0]] == ['film-1.jpg', 'film-3.jpg']
    assert [row['moviename'][0] for row in back[0]] == ['film'] * 2
    assert [row['istrain'].item() for row in back[0]] == [1, 0]
    for row, joints in zip(back[0], (early_joints, late_joints)):
        np.testing.assert_array_equal(row['coords'][:, FLIC_PLACES].T, joints)
        assert np.isnan(np.delete(row['coords'], FLIC_PLACES, axis=1)).all()
        assert row['coords'].shape == (2, 29)
    with pytest.raises(ValueError):
        flic_predictions([flic_person(4, 0)[0]], official)


@pytest.mark.parametrize('is_train', [False, True])
def test_flic_without_the_official_file(tmp_path, is_train):
    someone, joints = flic_person(2, 0)
    (row, ) = read_back(tmp_path / 'pred.mat', 'examples',
                        flic_predictions([someone], None, is_train))[0]
    assert row['filepath'][0] == 'film-2.jpg'
    assert (row['istrain'].item(), row['istest'].item()) == (is_train,
                                                             not is_train)
    np.testing.assert_array_equal(row['coords'][:, FLIC_PLACES].T, joints)


def build(name, **options):
    return DATASETS.build(dict(type=f'Hourglass{name}Dataset', **options))


def perfect(dataset, metric):
    """Every person's own joints as its prediction, through the metric."""
    metric = METRICS.build(metric)
    metric.dataset_meta = dataset.metainfo
    assert metric.check_people(dataset)
    for record in dataset:
        metric.process(None, [
            dict(
                img_path=record['img_path'],
                raw_ann_info=record['raw_ann_info'],
                gt_instances=dict(bboxes=record['bbox']),
                pred_instances=dict(keypoints=record['keypoints']))
        ])
    assert metric.evaluate(len(dataset)) == {}


def test_a_dump_that_is_not_complete_leaves_the_older_one(
        tmp_path, monkeypatch):
    out = tmp_path / 'new' / 'dump.pkl'
    metric = METRICS.build(
        dict(type='PredictionDump', out_file_path=str(out)))
    assert isinstance(metric, DumpResults)  # kept without annotations
    metric.results = [dict(id=1)]
    assert metric.evaluate(1) == {}
    before = out.read_bytes()
    assert pickle.loads(before) == [dict(id=1)]

    def fill_the_disk(results, path):
        Path(path).write_bytes(b'half')
        raise OSError(errno.ENOSPC, 'No space left')

    monkeypatch.setattr('hourglass_plugin.evaluation.metrics.dump',
                        fill_the_disk)
    metric.results = [dict(id=2)]
    with pytest.raises(OSError):
        metric.evaluate(1)
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


def test_mpii_round_trip(tmp_path):
    entries = [
        dict(
            image='a.jpg',
            center=[100 + seed, 90.5],
            scale=1.25,
            joints=joints_of(seed).tolist(),
            joints_vis=[1] * 16,
            official_index=[7, seed]) for seed in (1, 0)
    ]
    (tmp_path / 'mpii.json').write_text(json.dumps(entries))
    dataset = build('MPII', ann_file=str(tmp_path / 'mpii.json'))
    out = tmp_path / 'pred.mat'
    perfect(dataset, dict(type='OfficialPredictionFile', out_file=str(out)))
    (entry, ) = loadmat(str(out))['pred'][0]
    for seed, rect in enumerate(entry['annorect'][0]):
        # Pixels went through float32: 2^-14 for numbers below 512.
        np.testing.assert_allclose(points(rect)[0], joints_of(seed), atol=1e-4)
        assert rect['objpos'][0, 0]['x'].item() == 100 + seed
        assert rect['objpos'][0, 0]['y'].item() == 90.5


def test_mpii_round_trip_from_the_official_file(release_file, tmp_path):
    dataset = build('MPII', ann_file=release_file, subset='trainval')
    out = tmp_path / 'pred.mat'
    perfect(
        dataset,
        dict(
            type='OfficialPredictionFile',
            out_file=str(out),
            official_file=release_file))
    pred = loadmat(str(out))['pred']
    rects = [rect for entry in pred[0] for rect in entry['annorect'][0]]
    assert len(rects) == 3
    for seed, rect in enumerate(rects):
        np.testing.assert_allclose(points(rect)[0], joints_of(seed), atol=1e-4)


def test_flic_round_trip(tmp_path):
    joints = [flic_person(0, seed)[1] for seed in (0, 1)]
    for one in joints:  # observer-centric: the left shoulder is on the right
        one[[0, 3]] = one[[0, 3]][np.argsort(-one[[0, 3], 0])]
    entries = [
        dict(
            image=f'film-{row}.jpg',
            center=[100, 240],
            scale=1.76,
            joints=one.tolist(),
            joints_vis=[1] * 11) for row, one in enumerate(joints)
    ]
    (tmp_path / 'flic.json').write_text(json.dumps(entries))
    dataset = build('FLIC', ann_file=str(tmp_path / 'flic.json'))
    out = tmp_path / 'pred.mat'
    perfect(dataset, dict(type='OfficialPredictionFile', out_file=str(out)))
    back = loadmat(str(out))['examples'][0]
    assert FLIC.num_keypoints == len(FLIC_PLACES)
    for row, one in zip(back, joints):
        np.testing.assert_allclose(
            row['coords'][:, FLIC_PLACES].T, one, atol=1e-4)


def test_only_mpii_and_flic_have_an_official_format():
    metric = METRICS.build(
        dict(type='OfficialPredictionFile', out_file='a.mat'))
    metric.dataset_meta = dict(dataset_name='lsp')
    with pytest.raises(ValueError):
        _ = metric.dataset_name


@pytest.mark.parametrize('dataset', ['mpii', 'flic'])
def test_a_file_other_than_the_official_one_is_named(tmp_path, dataset):
    savemat(tmp_path / 'gt.mat', dict(jnt_missing=np.zeros((16, 3))))
    with pytest.raises(ValueError, match='gt.mat'):
        read_official_file(str(tmp_path / 'gt.mat'), dataset)
    with pytest.raises(FileNotFoundError):
        read_official_file(str(tmp_path / 'none.mat'), dataset)
