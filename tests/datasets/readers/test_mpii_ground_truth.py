"""MPII's ground truth: as it stands, and found again by joints."""
import numpy as np
import pytest
from matlab_files import write_head_boxes
from pose_files import entry, write_json

from hourglass_plugin.datasets.readers.mpii_ground_truth import (
    add_head_sizes,
    read_mpii_ground_truth,
)
from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.skeletons import MPII

# Boxes of 3-4-5 triangles: diagonals 5, 10, 15, ...; head sizes 3, 6, 9, ...
BOXES = [[[10, 10], [10 + 3 * n, 10 + 4 * n]] for n in range(1, 9)]


def sizes_of(folder, truth_entries, entries, **changes):
    """Head sizes that people get from a ground truth with BOXES."""
    truth = write_head_boxes(folder / 'gt.mat', truth_entries,
                             BOXES[:len(truth_entries)], **changes)
    path = write_json(folder / 'a.json', entries)
    people = add_head_sizes(
        read_pose_json(path, MPII, first_pixel=1), truth, path)
    return [round(person.head_size, 6) for person in people]


def test_ground_truth_by_hand(tmp_path):
    entries = [entry(MPII, seed) for seed in range(3)]
    entries[1]['joints'][4] = [35.25, 1]
    entries[1]['joints_vis'][5] = 0
    truth = read_mpii_ground_truth(
        write_head_boxes(tmp_path / 'gt.mat', entries, BOXES[:3]))
    assert truth.keypoints.shape == (3, 16, 2)
    assert truth.keypoints.dtype == np.float64
    assert truth.keypoints[1, 4].tolist() == [34.25, 0]
    assert np.argwhere(~truth.annotated).tolist() == [[1, 5]]
    np.testing.assert_allclose(truth.head_sizes, [3, 6, 9])


def test_ground_truth_of_one_person(tmp_path):
    """MATLAB drops the last dimension of 16 x 2 x 1 and 2 x 2 x 1."""
    joints = np.array(entry(MPII)['joints'])
    truth = read_mpii_ground_truth(
        write_head_boxes(tmp_path / 'gt.mat', [entry(MPII)], BOXES[:1],
                         pos_gt_src=joints,
                         headboxes_src=np.array(BOXES[0], float)))
    np.testing.assert_allclose(truth.keypoints, [joints - 1])
    np.testing.assert_allclose(truth.head_sizes, [3])


def people_of(*seeds):
    return [entry(MPII, seed) for seed in seeds]


def test_people_in_any_order_and_twice(tmp_path):
    truth = people_of(0, 1, 2, 3, 4)
    truth[3]['joints_vis'] = [1] * 15 + [0]
    people = [truth[index] for index in (4, 0, 3, 0)]
    assert sizes_of(tmp_path, truth, people) == [15, 3, 12, 3]
    assert sizes_of(tmp_path, truth, []) == []


def test_files_that_round_differently(tmp_path):
    """Neck and head top cut to whole pixels: up to a pixel less."""
    truth, people = people_of(0, 1, 2, 3), people_of(3, 2, 1, 0)
    for one, other in zip(truth, people):
        one['joints'][8], other['joints'][8] = [120.999, 80.001], [120, 80]
    # One with so few joints that only all of them tell who it is.
    truth[2]['joints_vis'] = people[1]['joints_vis'] = (
        [0] * 8 + [1, 1] + [0] * 6)
    assert sizes_of(tmp_path, truth, people) == [12, 9, 6, 3]


def test_an_equal_person_is_preferred_to_a_near_one(tmp_path):
    """Neighbouring frames of a quiet film."""
    near, = people_of(0)
    near['joints'] = (np.array(near['joints']) + 0.4).tolist()
    assert sizes_of(tmp_path, [near, entry(MPII, 0)],
                    [entry(MPII, 0), near]) == [6, 3]


def test_damaged_joints(tmp_path):
    """As in the real file, which has lost coordinates of joints."""
    truth = people_of(0, 1, 2, 3)
    truth[1]['joints'][0][0] = 0
    for joint in (0, 1, 4, 5, 6, 7, 8, 9):  # half of them
        truth[2]['joints'][joint] = [0, 0]
    assert sizes_of(tmp_path, truth, people_of(2, 1, 3)) == [9, 6, 12]


def test_joints_that_one_file_lacks(tmp_path):
    """The two share the joints 4 to 8: five of the nine in the first."""
    truth, people = people_of(0, 1, 2), people_of(0, 1, 2)
    truth[0]['joints_vis'] = [1] * 9 + [0] * 7
    people[0]['joints_vis'] = [0] * 4 + [1] * 12
    assert sizes_of(tmp_path, truth, people) == [3, 6, 9]


@pytest.mark.parametrize('shared', [0, 2, 7])
def test_a_stranger_is_named(tmp_path, shared):
    """Sharing 7 of 16 joints is not being the same person."""
    truth = [entry(MPII, seed) for seed in range(2)]
    stranger = entry(MPII, 2)
    stranger['joints'][:shared] = truth[0]['joints'][:shared]
    with pytest.raises(ValueError):
        sizes_of(tmp_path, truth, [truth[0], stranger])


def test_a_person_with_two_shared_joints_needs_them_all(tmp_path):
    """Few joints: equal ones are enough, but not half of them."""
    few = entry(MPII, 0, joints_vis=[1, 1] + [0] * 14)
    assert sizes_of(tmp_path, [entry(MPII, 1), few], [few]) == [6]
    moved = entry(MPII, 0, joints_vis=[1, 1] + [0] * 14)
    moved['joints'][0] = [400, 400]
    with pytest.raises(ValueError):
        sizes_of(tmp_path, [entry(MPII, 1), few], [moved])


def test_people_whom_joints_do_not_tell_apart(tmp_path):
    twins = [entry(MPII, 0), entry(MPII, 1), entry(MPII, 0)]
    twins[2]['joints'] = (np.array(twins[2]['joints']) + 0.001).tolist()
    with pytest.raises(ValueError):
        sizes_of(tmp_path, twins, [entry(MPII, 0)])
    # No harm where their heads are equally large ...
    equal = np.moveaxis(np.array([BOXES[0], BOXES[1], BOXES[0]], float), 0, 2)
    assert sizes_of(
        tmp_path, twins, [entry(MPII, 0)], headboxes_src=equal) == [3]
    # ... nor for somebody else.
    assert sizes_of(tmp_path, twins, [entry(MPII, 1)]) == [6]
