"""Readers: pixel conventions, head sizes by joints, clear errors."""
import json

import numpy as np
import pytest
from scipy.io import savemat

from hourglass_plugin.datasets.annotation_files.head_sizes import add_head_sizes
from hourglass_plugin.datasets.annotation_files.pose_json import read_pose_json
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


def write_head_boxes(path, entries, boxes):
    """MPII's ground-truth file: 1-based, people along the last axis."""
    savemat(
        path,
        dict(
            headboxes_src=np.moveaxis(np.array(boxes, float), 0, 2),
            pos_gt_src=np.moveaxis(
                np.array([e['joints'] for e in entries]), 0, 2),
            jnt_missing=1 - np.array([e['joints_vis'] for e in entries]).T))
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


def test_head_sizes_are_matched_by_joints_in_any_order(tmp_path):
    entries = [entry(MPII, seed) for seed in range(5)]
    entries[3]['joints_vis'] = [1] * 15 + [0]
    # Boxes of 3-4-5 triangles: diagonals 5, 10, 15, ...; head sizes 3, 6, ...
    boxes = [[[10, 10], [10 + 3 * n, 10 + 4 * n]] for n in range(1, 6)]
    truth = write_head_boxes(tmp_path / 'gt.mat', entries, boxes)
    order = [4, 0, 3]
    path = write(tmp_path / 'a.json', [entries[i] for i in order])
    people = add_head_sizes(
        read_pose_json(path, MPII, first_pixel=1), truth, path)
    sizes = [person.head_size for person in people]
    assert sizes == pytest.approx([0.6 * 5 * (i + 1) for i in order])


def test_a_person_without_a_head_box_is_an_error(tmp_path):
    entries = [entry(MPII, seed) for seed in range(3)]
    truth = write_head_boxes(tmp_path / 'gt.mat', entries[:2],
                             [[[1, 1], [4, 5]]] * 2)
    path = write(tmp_path / 'a.json', entries)
    people = read_pose_json(path, MPII, first_pixel=1)
    with pytest.raises(ValueError, match=r'person 2 \(000000002.jpg\)'):
        add_head_sizes(people, truth, path)


def test_head_box_file_missing_or_incomplete(tmp_path):
    with pytest.raises(FileNotFoundError, match='no head box file'):
        add_head_sizes([], tmp_path / 'gt.mat', 'a.json')
    savemat(tmp_path / 'gt.mat', dict(headboxes_src=np.zeros((2, 2, 1))))
    with pytest.raises(ValueError, match='lacks jnt_missing, pos_gt_src'):
        add_head_sizes([], tmp_path / 'gt.mat', 'a.json')


@pytest.mark.parametrize('changes,message', [
    (dict(scale=0), 'entry 1: scale must be positive, but is 0'),
    (dict(scale=-1.0), 'scale must be positive'),
    (dict(scale=float('nan')), 'scale must be positive'),
    (dict(center=[1.0]), 'center must be two finite numbers'),
    (dict(center=[float('inf'), 0]), 'center must be two finite numbers'),
    (dict(joints=[[0, 0]] * 13), r'14 joints, but keypoints have shape \(13, 2'),
    (dict(joints_vis=[1] * 15), '14 joints'),
    (dict(joints=[[float('nan'), 0]] * 14), 'an annotated joint is not finite'
     ),
    (dict(joints=None), 'entry 1: '),
    (dict(scale='large'), 'entry 1: ValueError'),
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
