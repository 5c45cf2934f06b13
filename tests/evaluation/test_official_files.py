"""Predictions in official files: joints in their places, counted from 1."""

import numpy as np
import pytest
from matlab_files import (
    mpii_person,
    mpii_point,
    struct_array,
    write_official_mpii,
)
from scipy.io import loadmat, savemat

from hourglass_plugin.evaluation.files.submissions import (
    PredictedPerson,
    count_unpredicted,
    flic_predictions,
    mpii_predictions,
    read_official_file,
    write_mat,
)

# Columns of examples.mat, written out a second time.
FLIC_PLACES = [0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16]


def joints_of(seed, count=16):
    """(K, 2), counted from 1, with fractions that double keeps."""
    return np.random.default_rng(seed).integers(8, 4000, (count, 2)) / 8


def person(x, y, seed=None):
    """An ``annorect``, with joints if there is a seed."""
    points = None if seed is None else [
        mpii_point(k, *place, is_visible=1.0)
        for k, place in enumerate(joints_of(seed))]
    return mpii_person(points, (x, y), 1.5)


@pytest.fixture
def release_file(tmp_path):
    """Three images to test on, between two to train on."""
    return str(
        write_official_mpii(tmp_path / 'release.mat', [
            ('a.jpg', True, [person(50, 60, 0), person(70, 80, 1)], [1, 2]),
            ('b.jpg', False, [person(10, 20), person(30, 40)], [2]),
            ('c.jpg', False, [], []),
            ('d.jpg', True, [person(90, 95, 2)], [1]),
            ('e.jpg', False, [person(11, 12), dict(x1=4.0), person(13, 14)],
             [1, 3])]))


def mpii_predicted(image, index, seed):
    return PredictedPerson(image, joints_of(seed) - 1, index)


def flic_predicted(row):
    return PredictedPerson(f'film-{row}.jpg', joints_of(row, 11) - 1, (row, 0))


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
        mpii_predicted('e.jpg', (4, 2), 7),
        mpii_predicted('b.jpg', (1, 1), 5)]
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
        for rect in rects]
    assert centers == [10, 30, 11, None, 13]
    assert rects[3]['x1'].item() == 4
    for rect, seed in zip(rects, (None, 5, None, None, 7)):
        if seed is None:
            assert rect['annopoints'].size == 0
        else:
            joints, ids = points(rect)
            np.testing.assert_array_equal(joints, joints_of(seed))
            assert ids == list(range(16))
    assert count_unpredicted(people, release) == 1  # (4, 0), of three
    assert [file.name for file in (tmp_path / 'new').iterdir()] == ['pred.mat']


def test_people_of_training_images_get_no_truth_and_no_other_images(
        release_file, tmp_path):
    release = read_official_file(release_file, 'mpii')
    (entry, ), = read_back(
        tmp_path / 'pred.mat', 'pred',
        mpii_predictions([mpii_predicted('a.jpg', (0, 1), 9)], release))
    first, second = entry['annorect'][0]
    assert first['annopoints'].size == 0  # annotated in the official file
    np.testing.assert_array_equal(points(second)[0], joints_of(9))


@pytest.mark.parametrize('image, index, count', [
    ('b.jpg', None, 1),
    ('b.jpg', (1, 2), 1),
    ('x.jpg', (1, 1), 1),
    ('c.jpg', (2, 0), 1),
    ('b.jpg', (5, 0), 1),
    ('a.jpg', (0, 1), 2)])
def test_people_of_another_file_and_repeated_ones_are_refused(
        release_file, image, index, count):
    release = read_official_file(release_file, 'mpii')
    with pytest.raises(ValueError):
        mpii_predictions([mpii_predicted(image, index, 0)] * count, release)


def test_flic_in_the_official_order_with_the_official_fields(tmp_path):
    path = tmp_path / 'examples.mat'
    savemat(path, dict(examples=struct_array([
        dict(filepath=f'film-{row}.jpg', coords=np.ones((2, 29)),
             moviename='film', istrain=row == 1, istest=row != 1)
        for row in range(4)])))
    official = read_official_file(str(path), 'flic')
    back = read_back(
        tmp_path / 'pred.mat', 'examples',
        flic_predictions([flic_predicted(3), flic_predicted(1)], official))
    assert [row['filepath'][0]
            for row in back[0]] == ['film-1.jpg', 'film-3.jpg']
    assert [row['moviename'][0] for row in back[0]] == ['film'] * 2
    assert [row['istrain'].item() for row in back[0]] == [1, 0]
    for row, seed in zip(back[0], (1, 3)):
        assert row['coords'].shape == (2, 29)
        np.testing.assert_array_equal(row['coords'][:, FLIC_PLACES].T,
                                      joints_of(seed, 11))
        assert np.isnan(np.delete(row['coords'], FLIC_PLACES, axis=1)).all()
    with pytest.raises(ValueError):
        flic_predictions([flic_predicted(4)], official)
