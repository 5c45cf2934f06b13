"""FLIC's examples.mat, the paper's .h5 files, JSON: observer's labels."""
import numpy as np
import pytest
from converter_json import pose_json_entries
from matlab_files import EMPTY, struct, struct_array
from newell_files import newell_rows, write_newell_h5
from pose_files import write_json
from scipy.io import savemat

from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.skeletons import FLIC

# Where a person stands in the file, by name and column of `coords`, 1-based.
# Left is right in the image, as of someone who faces the camera; right
# shoulder (200, 100) and left hip (290, 220) are 150 pixels apart.
FACING = dict(
    left_shoulder=(0, 300, 110), left_elbow=(1, 310, 150),
    left_wrist=(2, 320, 190), right_shoulder=(3, 200, 100),
    right_elbow=(4, 190, 151), right_wrist=(5, 180, 191),
    left_hip=(6, 290, 220), right_hip=(9, 210, 225), left_eye=(12, 260, 60),
    right_eye=(13, 240, 61), nose=(16, 250, 70))


def coords(turned=False, missing=()):
    """(2, 29) person-centric; `turned` shows the back: x flipped at 250."""
    values = np.full((2, 29), np.nan)
    for name, (column, x, y) in FACING.items():
        if name not in missing:
            values[:, column] = 500 - x if turned else x, y
    values[:, 20] = 7, 7  # a column of no joint
    return values


def example(number, **changes):
    return {**dict(
        poselet_hit_idx=np.array([[1, 2, 3]]), moviename='film',
        coords=coords(), filepath=f'film-{number:08d}.jpg',
        imgdims=np.array([[480, 720, 3]]),
        currframe=np.array([[number]], np.uint16),
        torsobox=np.array([[201.5, 90, 298.5, 230]]),
        istrain=np.array([[1]], np.uint8),
        istest=np.array([[0]], np.uint8)), **changes}


def write(folder, *examples):
    path = folder / 'examples.mat'
    savemat(path, dict(examples=struct_array(examples)))
    return path


def position(person, joint):
    return person.keypoints[FLIC.joints.index(joint)].tolist()


def test_examples_become_the_papers_crops(tmp_path):
    person, unknown, tall = read_flic(write(
        tmp_path, example(12), example(2, imgdims=EMPTY),
        example(1, imgdims=np.array([[600, 800, 3]], np.uint16))))
    assert person.image == 'film-00000012.jpg'
    # Middle of the torso box (250) and of 480 rows (240), counted from 0.
    assert person.center.tolist() == [249, 239]
    assert (tall.center[1], unknown.center[1]) == (299, 239)
    assert person.scale == pytest.approx(1.76)  # 2.2 / 1.25: 440 pixels
    for joint, (_, x, y) in FACING.items():
        assert position(person, joint) == [x - 1, y - 1]
    assert person.annotated.all()
    assert person.torso_size == pytest.approx(150)
    assert person.official_index == (0, 0)


def test_backs_change_sides(tmp_path):
    path = write(tmp_path, example(1), example(2, coords=coords(turned=True)))
    facing, observed = read_flic(path)
    _, x, y = FACING['left_shoulder']
    assert position(facing, 'left_shoulder') == [x - 1, y - 1]
    # The left shoulder is now the one that is further right in the image.
    for side, other in (('left', 'right'), ('right', 'left')):
        for part in ('shoulder', 'elbow', 'wrist', 'hip', 'eye'):
            _, x, y = FACING[f'{other}_{part}']
            assert position(observed, f'{side}_{part}') == [500 - x - 1, y - 1]
    assert position(observed, 'nose') == [249, 69]
    # The torso is the person's own.
    assert observed.torso_size == pytest.approx(150)


@pytest.mark.parametrize('missing, absent, elbow, torso', [
    ('left_wrist', 'right_wrist', 309, 150),
    ('left_hip', 'right_hip', 309, None),
    # Without a shoulder the direction is unknown, and nothing is exchanged.
    ('right_shoulder', 'right_shoulder', 189, None)])
def test_absent_joints_change_sides_too(tmp_path, missing, absent, elbow,
                                        torso):
    turned = coords(turned=True, missing=[missing])
    person, = read_flic(write(tmp_path, example(1, coords=turned)))
    index, = np.flatnonzero(~person.annotated)
    assert FLIC.joints[index] == absent
    assert position(person, 'left_elbow')[0] == elbow
    assert person.torso_size == (torso and pytest.approx(torso))


@pytest.mark.parametrize('subset, rows', [
    (None, [0, 1, 2, 3]), ('train', [2]), ('test', [0, 3])])
def test_subsets_keep_the_official_rows(tmp_path, subset, rows):
    people = read_flic(write(tmp_path, *(
        example(row, istrain=np.array([[train]]),
                istest=np.array([[test]], bool))
        for row, (train, test) in enumerate([(0, 1), (0, 0), (1, 0), (0, 1)])
    )), subset)
    assert [person.official_index[0] for person in people] == rows


def test_a_file_without_subsets_or_people(tmp_path):
    path = tmp_path / 'examples.mat'
    alone = example(0)
    del alone['istrain'], alone['istest']
    savemat(path, dict(examples=struct(**alone)))
    assert read_flic(path)[0].image == 'film-00000000.jpg'
    with pytest.raises(ValueError):
        read_flic(path, 'train')
    savemat(path, dict(examples=EMPTY))
    with pytest.raises(ValueError):
        read_flic(path)


def test_h5_files_of_both_kinds_and_json_give_the_same_people(tmp_path):
    """The second from behind, in files of the paper's code with
    person-centric and with observer-centric labels."""
    columns = [column for column, _, _ in FACING.values()]
    parts = np.stack([coords().T, coords(turned=True).T])[:, columns]
    rows = dict(
        newell_rows(2, 11), part=parts, scale=np.full(2, 2.2),
        center=np.full((2, 2), [250.0, 240.0], np.float32),
        normalize=np.full(2, 150.0), index=np.arange(2) + 140)
    first = read_flic(write_newell_h5(tmp_path / 'person.h5', rows))
    parts[1] = parts[1, FLIC.flip_indices]
    observer = write_newell_h5(tmp_path / 'observer.h5', rows)
    second = read_flic(observer)
    path = write_json(tmp_path / 'people.json',
                      pose_json_entries(first, first_pixel=1))
    for a, *others in zip(first, second, read_flic(path)):
        for b in others:
            np.testing.assert_array_equal(a.keypoints, b.keypoints)
            assert a.torso_size == b.torso_size == pytest.approx(150)
            assert a.center.tolist() == b.center.tolist()
            assert a.official_index == b.official_index
    assert first[1].official_index == (141, 1)
    assert first[1].center.tolist() == [249, 239]
    assert first[1].scale == pytest.approx(1.76)
    with pytest.raises(ValueError):  # a file of a single subset
        read_flic(observer, 'train')
