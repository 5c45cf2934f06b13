"""Every file of MPII's people, by hand and against each other."""
import gzip
import json

import numpy as np
import pytest
from matlab_files import (
    EMPTY,
    cell_array,
    mpii_person,
    mpii_point,
    struct,
    struct_array,
    write_head_boxes,
    write_official_mpii,
)
from newell_files import newell_rows, write_newell_h5

from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.pose_json import pose_json_entries


def random_points(seed, joints=range(16)):
    """Joints in any order, 1-based, with what the official file says of them.
    """
    rng = np.random.default_rng(seed)
    places = rng.integers(1, 300, (16, 2))
    seen = [1, 0, '1', '0', np.uint8(1), np.uint8(0), '', EMPTY]
    return [
        mpii_point(
            joint,
            float(places[joint, 0]),
            np.uint16(places[joint, 1]),
            is_visible=seen[joint % 8]) for joint in rng.permutation(joints)
    ]


def official_images():
    """One and many people, and all that may be missing."""
    return [
        # 0: one person, 16 joints; the image is training's
        ('a.jpg', 1, [mpii_person(random_points(0), (594, 257), 3.021)], [1]),
        # 1: three can be used, three cannot
        ('b.jpg', 1, [
            mpii_person(random_points(1)),
            mpii_person(),
            mpii_person(random_points(2), scale=None),
            mpii_person(random_points(3), place=None),
            mpii_person(random_points(4, [9, 3, 12]), box=None),
            mpii_person([mpii_point(9, 1895, 113)], (1718, -157), 24.813),
        ], []),
        # 2: no person
        ('c.jpg', 1, [], []),
        # 3: only a head box
        ('d.jpg', 1, [mpii_person(scale=None, place=None)], []),
        # 4: two people, one single
        ('e.jpg', 0, [
            mpii_person(box=None),
            mpii_person(box=None, place=(71, 41), scale=2),
        ], [2]),
        # 5: a group
        ('f.jpg', 0, [mpii_person(box=None),
                      mpii_person(box=None)], []),
        # 6: no usable person, though listed
        ('g.jpg', 0, [mpii_person(box=None, scale=None)], [1]),
        # 7: one more of training
        ('h.jpg', 1,
         [mpii_person(random_points(5)),
          mpii_person(random_points(6))], [1, 2]),
    ]


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
    # Head box 30 x 40 pixels: diagonal 50.
    assert person.head_size == pytest.approx(30) and person.torso_size is None
    places = {
        point['id']: (point['x'], point['y'])
        for point in random_points(0)
    }
    np.testing.assert_array_equal(
        person.keypoints,
        [np.array(places[joint], float) - 1 for joint in range(16)])
    assert person.annotated.all()
    # 1 0 '1' '0' 1 0 '' [] and once more.
    assert person.visible.tolist(
    ) == 2 * [True, False, True, False, True, False, True, True]


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


def test_single_people_of_the_test_images(tmp_path, official):
    person, = read_mpii(official, 'test')
    assert person.image == 'e.jpg' and person.official_index == (4, 1)
    assert person.center.tolist() == [70, 40 + 15 * 2]
    assert not person.annotated.any() and person.annotated.shape == (16, )
    assert person.keypoints.shape == (16, 2)
    path = write_official_mpii(
        tmp_path / 'b.mat', official_images(), single_person=None)
    assert indices(read_mpii(path, 'test')) == [(4, 0), (4, 1), (5, 0), (5, 1)]
    # Where every image has one such person, SciPy writes a matrix.
    path = write_official_mpii(
        tmp_path / 'c.mat',
        official_images(),
        single_person=np.full((1, 8), 2.0))
    assert indices(read_mpii(path, 'test')) == [(4, 1), (5, 1)]


@pytest.mark.parametrize('place', ['annopoints', 'objpos', 'scale', 'point'])
@pytest.mark.parametrize('nothing', [
    EMPTY,
    np.zeros((1, 0)), '',
    cell_array([]),
    struct_array([dict(x=1)])[:, :0]
])
def test_everything_that_stands_for_nothing(tmp_path, place, nothing):
    person = mpii_person(random_points(1))
    if place == 'point':
        person['annopoints'] = struct(point=nothing)
    else:
        person[place] = nothing
    path = write_official_mpii(
        tmp_path / 'a.mat',
        [('a.jpg', 1, [person, mpii_person(random_points(2))], [])])
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


def test_an_image_without_a_name(tmp_path):
    path = write_official_mpii(tmp_path / 'a.mat',
                               [('', 1, [mpii_person(random_points(1))], [])])
    with pytest.raises(ValueError):
        read_mpii(path)


# Tompson's split: image h is validation's, through its second person; its
# first belongs to neither part.


def validation_files(folder, official):
    """The person (7, 1) in every other kind of file, beside a stranger to the
    split where the kind marks who belongs to it."""
    everybody = read_mpii(official)
    person = everybody[-1]
    joints = np.where(person.annotated[:, None], person.keypoints + 1.0, 0)
    entry = dict(
        image=person.image,
        center=[120, 80],
        scale=1.5,
        joints=joints.tolist(),
        joints_vis=person.annotated.astype(int).tolist())
    cpm = [
        dict(
            img_paths=one.image,
            objpos=[120, 80],
            scale_provided=1.5,
            joint_self=np.column_stack([one.keypoints + 1,
                                        one.visible]).tolist(),
            isValidation=float(one is person),
            annolist_index=one.official_index[0] + 1.0,
            people_index=one.official_index[1] + 1.0) for one in everybody
    ]
    rows = newell_rows(1, 16)
    rows.update(
        imgname=np.array([person.image], 'S'),
        part=joints[None],
        visible=person.visible[None] * 1.0,
        index=[7],
        person=[1])
    files = dict(
        hrnet=folder / 'valid.json',
        cpm=folder / 'cpm.json.gz',
        root=folder / 'root.json')
    files['hrnet'].write_text(json.dumps([entry]))
    files['cpm'].write_bytes(gzip.compress(json.dumps(cpm).encode()))
    files['root'].write_text(json.dumps(dict(root=cpm)))
    files['truth'] = write_head_boxes(folder / 'gt.mat', [entry],
                                      [[[40, 30], [70, 70]]])
    files['newell'] = write_newell_h5(folder / 'valid.h5', rows)
    files['by joints'] = write_newell_h5(
        folder / 'joints.h5',
        {name: rows[name]
         for name in ('imgname', 'center', 'scale', 'part')})
    return files


@pytest.mark.parametrize(
    'kind', ['hrnet', 'cpm', 'root', 'truth', 'newell', 'by joints'])
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
    entry = dict(
        img_paths='015601864.jpg',
        objpos=[594.0, 257.0],
        joint_self=joints,
        scale_provided=3.021,
        isValidation=0.0,
        annolist_index=5.0,
        people_index=1.0)
    other = dict(entry, isValidation=1.0, people_index=3.0)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps([entry, other]))
    train, = read_mpii(path, 'train')
    val, = read_mpii(path, 'val')
    assert indices(read_mpii(path)) == [(4, 0), (4, 2)]
    assert indices(read_mpii(path, 'trainval')) == [(4, 0), (4, 2)]
    assert val.official_index == (4, 2) and train.official_index == (4, 0)
    assert train.image == '015601864.jpg'
    np.testing.assert_allclose(train.center, [593, 301.315], rtol=1e-6)
    assert train.scale == 3.021
    assert np.flatnonzero(~train.annotated).tolist() == [3]
    # k % 2 is 1 for k = 1, 3, 5, ..., the joints 0, 2, 4, ...; 4 is not.
    assert np.flatnonzero(
        train.visible).tolist() == [0, 2, 5, 6, 8, 10, 12, 14]
    assert train.keypoints[5].tolist() == [-4, 6]
    assert train.head_size is None
    del other['isValidation']
    path.write_text(json.dumps([entry, other]))
    assert len(read_mpii(path)) == 2


def test_hrnet_json_with_and_without_joints(tmp_path):
    entry = dict(image='a.jpg', center=[120, 80], scale=1.5)
    path = tmp_path / 'test.json'
    path.write_text(json.dumps([entry]))
    person, = read_mpii(path)
    assert person.center.tolist() == [119, 101.5]
    assert person.image == 'a.jpg' and not person.annotated.any()
    entry.update(joints=[[7, 8]] * 15 + [[-1, -1]], joints_vis=[1] * 15 + [0])
    path.write_text(json.dumps([entry]))
    person, = read_mpii(path)
    assert person.center.tolist() == [119, 101.5]
    assert person.keypoints[0].tolist() == [6, 7]
    assert np.flatnonzero(~person.annotated).tolist() == [15]
    assert person.visible is None


def test_newell_centres_are_those_of_the_crop_already(tmp_path):
    rows = newell_rows(1, 16)
    rows['center'][0], rows['scale'][0] = [594, 302.315], 3.77625
    person, = read_mpii(write_newell_h5(tmp_path / 'a.h5', rows))
    np.testing.assert_allclose(person.center, [593, 301.315], rtol=1e-6)
    written, = pose_json_entries([person], 1, center_drop=15)
    np.testing.assert_allclose(written['center'], [594, 257], atol=1e-3)


def test_kinds_are_told_by_content_not_by_name(tmp_path, official):
    files = validation_files(tmp_path, official)
    for kind, count in (('newell', 1), ('hrnet', 1), ('root', 6)):
        renamed = tmp_path / f'{kind}.dat'
        renamed.write_bytes(files[kind].read_bytes())
        assert len(read_mpii(renamed)) == count
    renamed = tmp_path / 'release.h5'
    renamed.write_bytes(official.read_bytes())
    assert len(read_mpii(renamed)) == 6


def test_files_and_subsets_must_fit(tmp_path, official):
    files = validation_files(tmp_path, official)
    empty = tmp_path / 'empty.json'
    empty.write_text('[]')
    other = write_official_mpii(tmp_path / 'other.mat', official_images()[:2])
    bare = write_official_mpii(tmp_path / 'bare.mat', official_images()[2:7])
    assert read_mpii(bare) == []
    for arguments in ((official, 'valid'), (official, 'val'),
                      (official, 'train', official),
                      (official, 'train', empty), (files['truth'], ),
                      (files['cpm'], 'test'), (files['hrnet'], 'val'),
                      (files['newell'], 'val'),
                      (files['cpm'], 'val', files['truth']),
                      (bare, 'train', files['hrnet']),
                      *((other, 'val', files[kind])
                        for kind in ('hrnet', 'truth', 'newell'))):
        with pytest.raises(ValueError) as raised:
            read_mpii(*arguments)
        assert str(arguments[0]) in str(raised.value) or str(
            arguments[-1]) in str(raised.value)
    with pytest.raises(FileNotFoundError, match='gone'):
        read_mpii(official, 'train', tmp_path / 'gone.mat')
