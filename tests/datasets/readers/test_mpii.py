"""Every file of MPII's people, by hand and against each other."""
import gzip
import json

import numpy as np
import pytest
from converter_json import pose_json_entries
from matlab_files import (
    EMPTY,
    cell_array,
    mpii_person,
    mpii_point,
    struct,
    write_head_boxes,
    write_official_mpii,
)
from newell_files import newell_rows, write_newell_h5
from pose_files import entry, write_json

from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.skeletons import MPII


def random_points(seed, joints=range(16)):
    """Joints in any order, 1-based, with each kind of ``is_visible``."""
    rng = np.random.default_rng(seed)
    places = rng.integers(1, 300, (16, 2))
    seen = [1, 0, '1', '0', np.uint8(1), np.uint8(0), '', EMPTY]
    return [
        mpii_point(joint, float(places[joint, 0]), np.uint16(places[joint, 1]),
                   is_visible=seen[joint % 8])
        for joint in rng.permutation(joints)]


def official_images():
    """One and many people, and all that may be missing."""
    boxless = mpii_person(box=None)
    return [
        # 0: one person, 16 joints; the image is training's
        ('a.jpg', 1, [mpii_person(random_points(0), (594, 257), 3.021)], [1]),
        # 1: three can be used, three cannot
        ('b.jpg', 1, [
            mpii_person(random_points(1)), mpii_person(),
            mpii_person(random_points(2), scale=None),
            mpii_person(random_points(3), place=None),
            mpii_person(random_points(4, [9, 3, 12]), box=None),
            mpii_person([mpii_point(9, 1895, 113)], (1718, -157), 24.813)],
         []),
        # 2: no person; 3: only a head box
        ('c.jpg', 1, [], []),
        ('d.jpg', 1, [mpii_person(scale=None, place=None)], []),
        # 4: two people, one single; 5: a group; 6: no usable person
        ('e.jpg', 0, [boxless, mpii_person(box=None, place=(71, 41), scale=2)],
         [2]),
        ('f.jpg', 0, [boxless, boxless], []),
        ('g.jpg', 0, [mpii_person(box=None, scale=None)], [1]),
        # 7: one more of training
        ('h.jpg', 1, [mpii_person(random_points(5)),
                      mpii_person(random_points(6))], [1, 2])]


@pytest.fixture
def official(tmp_path):
    return write_official_mpii(tmp_path / 'release.mat', official_images())


def indices(people):
    return [person.official_index for person in people]


def test_a_person_of_the_official_file_by_hand(official):
    person = read_mpii(official)[0]
    assert person.image == 'a.jpg' and person.official_index == (0, 0)
    # 1-based (594, 257), moved down by 15 * 3.021, counted from 0.
    np.testing.assert_allclose(person.center, [593, 301.315], rtol=1e-6)
    assert person.scale == 3.021
    written, = pose_json_entries([person], 1, center_drop=15)
    np.testing.assert_allclose(written['center'], [594, 257], atol=1e-3)
    # Head box 30 x 40 pixels: diagonal 50.
    assert person.head_size == pytest.approx(30) and person.torso_size is None
    for point in random_points(0):
        assert person.keypoints[point['id']].tolist() == [
            point['x'] - 1, point['y'] - 1.0]
    assert person.annotated.all()
    # 1 0 '1' '0' 1 0 '' [] and once more.
    assert person.visible.tolist() == 2 * [
        True, False, True, False, True, False, True, True]


def test_who_can_be_used_for_training(official):
    people = read_mpii(official)
    assert indices(people) == [(0, 0), (1, 0), (1, 4), (1, 5), (7, 0), (7, 1)]
    some, one = people[2], people[3]
    assert np.flatnonzero(some.annotated).tolist() == [3, 9, 12]
    # 3: '0', 9: 0, 12: 1.
    assert np.flatnonzero(some.visible).tolist() == [12]
    assert some.head_size is None and some.keypoints[0].tolist() == [-1, -1]
    # The real file has this person: one joint, and no field is_visible.
    assert np.flatnonzero(one.annotated).tolist() == [9]
    assert one.visible[9] and one.keypoints[9].tolist() == [1894, 112]
    np.testing.assert_allclose(one.center, [1717, -158 + 15 * 24.813])
    assert indices(read_mpii(official, 'trainval')) == indices(people)


@pytest.mark.parametrize('changes, expected', [
    ({}, [(4, 1)]),
    (dict(single_person=None), [(4, 0), (4, 1), (5, 0), (5, 1)]),
    # Where every image has one such person, SciPy writes a matrix.
    (dict(single_person=np.full((1, 8), 2.0)), [(4, 1), (5, 1)])])
def test_single_people_of_the_test_images(tmp_path, changes, expected):
    people = read_mpii(write_official_mpii(
        tmp_path / 'a.mat', official_images(), **changes), 'test')
    assert indices(people) == expected
    person = people[expected.index((4, 1))]
    assert person.image == 'e.jpg'
    assert person.center.tolist() == [70, 40 + 15 * 2]
    assert not person.annotated.any() and person.annotated.shape == (16, )
    assert person.keypoints.shape == (16, 2)


@pytest.mark.parametrize('place', ['annopoints', 'objpos', 'scale', 'point'])
@pytest.mark.parametrize('nothing', [EMPTY, cell_array([])])
def test_everything_that_stands_for_nothing(tmp_path, place, nothing):
    person = mpii_person(random_points(1))
    if place == 'point':
        person['annopoints'] = struct(point=nothing)
    else:
        person[place] = nothing
    people = [person, mpii_person(random_points(2))]
    path = write_official_mpii(tmp_path / 'a.mat', [('a.jpg', 1, people, [])])
    assert indices(read_mpii(path)) == [(0, 1)]


def test_joints_without_a_place_or_number(tmp_path):
    points = random_points(0)
    lost = {points[0]['id'], points[1]['id'], points[2]['id']}
    points[0]['x'], points[1]['y'], points[2]['id'] = EMPTY, np.nan, EMPTY
    points.append(dict(points[3], x=999))  # the same joint once more
    path = write_official_mpii(tmp_path / 'a.mat',
                               [('a.jpg', 1, [mpii_person(points)], [])])
    person, = read_mpii(path)
    assert set(np.flatnonzero(~person.annotated)) == lost
    assert person.keypoints[points[3]['id'], 0] == points[3]['x'] - 1


def cpm_entry(image, joints, validation=0.0, index=(1.0, 1.0)):
    """``joints`` (16, 3) and ``index`` from 1."""
    return dict(
        img_paths=image, objpos=[594.0, 257.0], scale_provided=3.021,
        joint_self=np.asarray(joints).tolist(), isValidation=validation,
        annolist_index=index[0], people_index=index[1])


def validation_files(folder, official):
    """The person (7, 1) in every other kind of file, beside a stranger to the
    split where the kind marks who belongs to it. (7, 0) is in neither part."""
    everybody = read_mpii(official)
    person = everybody[-1]
    joints = np.where(person.annotated[:, None], person.keypoints + 1.0, 0)
    alone = entry(MPII, image=person.image, joints=joints.tolist(),
                  joints_vis=person.annotated.astype(int).tolist())
    cpm = [
        cpm_entry(one.image, np.column_stack([one.keypoints + 1, one.visible]),
                  float(one is person), np.add(one.official_index, 1).tolist())
        for one in everybody]
    (folder / 'cpm.json.gz').write_bytes(
        gzip.compress(json.dumps(cpm).encode()))
    rows = dict(
        newell_rows(1, 16), imgname=np.array([person.image], 'S'),
        part=joints[None], visible=person.visible[None] * 1.0, index=[7],
        person=[1])
    return {
        'hrnet': write_json(folder / 'valid.json', [alone]),
        'cpm': folder / 'cpm.json.gz',
        'root': write_json(folder / 'root.json', dict(root=cpm)),
        'truth': write_head_boxes(folder / 'gt.mat', [alone],
                                  [[[40, 30], [70, 70]]]),
        'newell': write_newell_h5(folder / 'valid.h5', rows)}


@pytest.mark.parametrize('kind', ['hrnet', 'cpm', 'root', 'truth', 'newell'])
def test_the_split_from_every_kind_of_file(tmp_path, official, kind):
    file = validation_files(tmp_path, official)[kind]
    train = read_mpii(official, 'train', file)
    assert indices(train) == [(0, 0), (1, 0), (1, 4), (1, 5)]
    assert indices(read_mpii(official, 'val', file)) == [(7, 1)]


def test_the_image_tells_people_with_equal_joints_apart(tmp_path, official):
    """Two images of the same scene."""
    images = official_images()
    images.append(('i.jpg', 1, images[-1][2], []))
    twins = write_official_mpii(tmp_path / 'twins.mat', images)
    files = validation_files(tmp_path, official)
    for kind in ('hrnet', 'newell'):
        assert indices(read_mpii(twins, 'val', files[kind])) == [(7, 1)]
    with pytest.raises(ValueError):
        read_mpii(twins, 'val', files['truth'])


def test_cpm_json_by_hand(tmp_path):
    joints = [[float(10 * k), 20, k % 2] for k in range(1, 17)]
    joints[3] = [0, 0, 0]  # missing
    joints[4] = [0, 20, 0]  # occluded at the border
    joints[5] = [-3, 7, 1]
    first = cpm_entry('015601864.jpg', joints, index=(5.0, 1.0))
    other = dict(first, isValidation=1.0, people_index=3.0)
    path = write_json(tmp_path / 'a.json', [first, other])
    for subset, expected in (('train', [(4, 0)]), ('val', [(4, 2)]),
                             (None, [(4, 0), (4, 2)]),
                             ('trainval', [(4, 0), (4, 2)])):
        assert indices(read_mpii(path, subset)) == expected
    train, = read_mpii(path, 'train')
    assert train.image == '015601864.jpg'
    np.testing.assert_allclose(train.center, [593, 301.315], rtol=1e-6)
    assert train.scale == 3.021 and train.head_size is None
    assert np.flatnonzero(~train.annotated).tolist() == [3]
    # k % 2 is 1 for k = 1, 3, 5, ..., the joints 0, 2, 4, ...; 4 is not.
    visible = np.flatnonzero(train.visible).tolist()
    assert visible == [0, 2, 5, 6, 8, 10, 12, 14]
    assert train.keypoints[5].tolist() == [-4, 6]
    del other['isValidation']
    assert len(read_mpii(write_json(path, [first, other]))) == 2


def test_json_without_joints_and_with_some_before_the_first_pixel(tmp_path):
    """MPII's zeros, after an image was cut or scaled."""
    bare = dict(image='a.jpg', center=[120, 80], scale=1.5)
    person, = read_mpii(write_json(tmp_path / 'a.json', [bare]))
    assert (person.image, person.center.tolist()) == ('a.jpg', [119, 101.5])
    assert not person.annotated.any() and person.visible is None
    cut = entry(MPII)
    cut['joints'][2:4] = [[0.33, 0.33], [0.5, 40]]
    person, = read_mpii(write_json(tmp_path / 'a.json', [cut]))
    assert np.flatnonzero(~person.annotated).tolist() == [2]


def test_files_and_subsets_must_fit(tmp_path, official):
    files = validation_files(tmp_path, official)
    empty = write_json(tmp_path / 'empty.json', [])
    other = write_official_mpii(tmp_path / 'other.mat', official_images()[:2])
    bare = write_official_mpii(tmp_path / 'bare.mat', official_images()[2:7])
    nameless = write_official_mpii(
        tmp_path / 'nameless.mat',
        [('', 1, [mpii_person(random_points(1))], [])])
    assert read_mpii(bare) == []
    for arguments in (
            (official, 'valid'), (official, 'val'), (files['truth'], ),
            (official, 'train', official), (official, 'train', empty),
            (files['cpm'], 'test'), (files['hrnet'], 'val'),
            (files['newell'], 'val'), (files['cpm'], 'val', files['truth']),
            (bare, 'train', files['hrnet']), (other, 'val', files['truth']),
            (other, 'val', files['newell']), (nameless, )):
        with pytest.raises(ValueError):
            read_mpii(*arguments)
    with pytest.raises(FileNotFoundError):
        read_mpii(official, 'train', tmp_path / 'gone.mat')


def read_rows(folder, rows):
    return read_mpii(write_newell_h5(folder / 'a.h5', rows))


def test_a_person_of_the_papers_code_by_hand(tmp_path):
    rows = newell_rows(2, 16)
    rows['center'][1] = [594, 302.315]  # 257 + 15 * 3.021
    rows['scale'][1] = 3.77625  # 1.25 * 3.021
    rows['part'][1, 4] = [620, 394.5]
    rows['normalize'][1] = 51.25
    _, person = read_rows(tmp_path, rows)
    assert person.image == '000000001.jpg'
    np.testing.assert_allclose(person.center, [593, 301.315], rtol=1e-6)
    assert person.scale == pytest.approx(3.021)
    assert person.keypoints[4].tolist() == [619, 393.5]
    assert person.head_size == 51.25 and person.torso_size is None
    assert person.official_index == (3, 1)
    assert person.annotated.all() and person.visible.all()


def test_annotated_is_not_visible(tmp_path):
    rows = newell_rows(2, 16)
    part, visible = rows['part'][0], rows['visible'][0]
    visible[0] = 0  # occluded
    part[1], visible[1] = 0, 0  # missing
    part[2], visible[2] = [0, 90], 0  # occluded, left of the image's border
    part[3], visible[3] = [-4, 0], 0  # occluded, outside
    part[4], visible[4] = 0, 1  # visible in the corner
    part[5], visible[5] = np.nan, 0  # missing, too
    # A person without joints, as the code that wrote the files marks one.
    rows['part'][1], rows['visible'][1] = -1, -1
    person, bare = read_rows(tmp_path, rows)
    assert np.flatnonzero(~person.annotated).tolist() == [1, 5]
    assert np.flatnonzero(~person.visible).tolist() == [0, 1, 2, 3, 5]
    assert person.keypoints[3].tolist() == [-5, -1]
    assert np.isfinite(person.keypoints).all()
    assert not bare.annotated.any() and not bare.visible.any()


CODES = np.array([list(b'000000000.jpg\0\0'), list(b'a.jpg'.ljust(15))])


@pytest.mark.parametrize('names', [
    np.array([b'000000000.jpg', b'a.jpg']),
    np.array([b'000000000.jpg'.ljust(16, b'\0'), b'a.jpg'.ljust(16)]),
    CODES.astype(np.uint8), CODES.astype(np.float64), CODES.astype(np.int32),
    ['000000000.jpg', 'a.jpg']])
def test_image_names(tmp_path, names):
    people = read_rows(tmp_path, dict(newell_rows(2, 16), imgname=names))
    assert [person.image for person in people] == ['000000000.jpg', 'a.jpg']


def test_columns_that_need_not_be_there(tmp_path):
    # The test set's file has nothing to normalise with.
    rows = dict(newell_rows(4, 16), normalize=[0, -1, np.nan, 7.5])
    assert [person.head_size for person in read_rows(tmp_path, rows)] == [
        None, None, None, 7.5]
    rows = newell_rows(2, 16)
    for name in ('visible', 'normalize', 'index', 'person'):
        del rows[name]
    rows['part'][0, 7] = 0
    person, _ = read_rows(tmp_path, rows)
    assert np.flatnonzero(~person.annotated).tolist() == [7]
    assert person.visible is None and person.head_size is None
    assert person.official_index is None
