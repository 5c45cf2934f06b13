"""JSON lists of people: pixel conventions, clear errors."""
import json

import numpy as np
import pytest

from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.skeletons import LSP, MPII


def entry(skeleton, seed=0, **changes):
    rng = np.random.default_rng(seed)
    person = dict(
        image=f'{seed:09d}.jpg',
        center=[120.0, 80.0],
        scale=1.5,
        joints=rng.uniform(1, 200, (skeleton.num_keypoints, 2)).tolist(),
        joints_vis=[1] * skeleton.num_keypoints)
    person.update(changes)
    return person


def write(path, entries):
    path.write_text(json.dumps(entries), encoding='utf-8')
    return path


def test_one_based_files_lose_one_pixel_everywhere(tmp_path):
    path = write(tmp_path / 'a.json', [entry(MPII)])
    one_based = read_pose_json(path, MPII, first_pixel=1)[0]
    zero_based = read_pose_json(path, MPII, first_pixel=0)[0]
    assert one_based.center.tolist() == [119, 79]
    assert zero_based.center.tolist() == [120, 80]
    np.testing.assert_allclose(one_based.keypoints + 1, zero_based.keypoints)
    assert one_based.scale == 1.5 and one_based.image == '000000000.jpg'


def test_unannotated_joints(tmp_path):
    seen = [1] * 10 + [0] * 4
    path = write(tmp_path / 'a.json', [entry(LSP, joints_vis=seen)])
    person = read_pose_json(path, LSP, first_pixel=0)[0]
    assert person.annotated.tolist() == [True] * 10 + [False] * 4


@pytest.mark.parametrize('changes,message', [
    (dict(scale=0), 'entry 1: scale must be positive, but is 0'),
    (dict(scale=-1.0), 'scale must be positive'),
    (dict(scale=float('nan')), 'scale must be positive'),
    (dict(center=[1.0]), 'center must be two finite numbers'),
    (dict(center=[float('inf'), 0]), 'center must be two finite numbers'),
    (dict(joints=[[0, 0]] * 13), r'14 joints, but keypoints .* shape \(13, 2'),
    (dict(joints_vis=[1] * 15), '14 joints'),
    (dict(joints=[[float('nan'), 0]] * 14), 'an annotated joint is not finite'
     ),
    (dict(joints=None), 'entry 1: '),
    (dict(scale='large'), 'entry 1: ValueError'),
    (dict(scale=True), 'scale must be a number, but is True'),
    (dict(scale=0.004), r'scale 0.004 is that of a person of 0.8 pixels'),
    (dict(joints_vis=[1] * 13 + [None]), 'entry 1: .* joints_vis must be 0 or '
     '1, but is None for joint 13'),
    (dict(joints_vis=[float('nan')] * 14), 'is nan for joint 0'),
    (dict(joints_vis=['1'] * 14), "is '1' for joint 0"),
    (dict(joints_vis=[1, 2] * 7), 'is 2 for joint 1'),
    (dict(joints_vis=1), 'joints_vis must be a list, but is 1'),
    (dict(joints_visible=[None] * 14), 'joints_visible must be 0 or 1'),
    (dict(head_size=True), 'head_size must be a number, but is True'),
    (dict(head_size=1e6 + 1), 'head_size must be positive, and no more than '
     '1e.06 pixels, but is 1000001'),
    (dict(torso_size=1e300), 'torso_size must be .* 1e.300'),
    (dict(image=None), "entry 1: the image's name must be a text, but is N"),
    (dict(image=''), "the image's name must be a text, but is ''"),
    (dict(official_index=[4]), r'official_index must be two whole numbers, '
     r'but is \[4\]'),
    (dict(official_index=[4, 0.5]), 'official_index must be two whole'),
    (dict(official_index=7), 'official_index must be two whole numbers'),
])
def test_bad_entries_are_named(tmp_path, changes, message):
    path = write(tmp_path / 'a.json', [entry(LSP), entry(LSP, **changes)])
    with pytest.raises(ValueError, match=message) as error:
        read_pose_json(path, LSP, first_pixel=0)
    assert str(path) in str(error.value)


def test_missing_keys_are_named(tmp_path):
    person = entry(LSP)
    del person['center']
    path = write(tmp_path / 'a.json', [person])
    with pytest.raises(ValueError, match="entry 0: KeyError: 'center'"):
        read_pose_json(path, LSP, first_pixel=0)


def test_files_that_are_no_list_or_no_json(tmp_path):
    path = write(tmp_path / 'a.json', {'images': []})
    with pytest.raises(ValueError, match='list of people, but holds a dict'):
        read_pose_json(path, LSP, first_pixel=0)
    path.write_text(path.read_text()[:5])
    with pytest.raises(ValueError, match='not a JSON file'):
        read_pose_json(path, LSP, first_pixel=0)
    with pytest.raises(FileNotFoundError, match='no annotation file'):
        read_pose_json(tmp_path / 'b.json', LSP, first_pixel=0)
