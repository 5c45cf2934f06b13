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


def person(seed, known=range(16), **joints):
    """A person whose joints of these numbers are annotated, some moved."""
    found = entry(MPII, seed, joints_vis=[int(k in known) for k in range(16)])
    for name, place in joints.items():
        found['joints'][int(name[1:])] = place
    return found


def moved(seed, pixels):
    joints = np.array(entry(MPII, seed)['joints']) + pixels
    return entry(MPII, seed, joints=joints.tolist())


# Half of the joints.
LOST = {f'j{joint}': [0, 0] for joint in (0, 1, 4, 5, 6, 7, 8, 9)}
STRANGER = entry(MPII, 2)['joints']


@pytest.mark.parametrize('truth, people, expected', [
    # In any order and twice; or none.
    ([person(0), person(1), person(2), person(3, range(15)), person(4)],
     [person(4), person(0), person(3, range(15)), person(0)], [15, 3, 12, 3]),
    ([person(0)], [], []),
    # Neck and head top cut to whole pixels: up to a pixel less. One has so
    # few joints that only all of them tell who it is.
    ([person(0, j8=[9.999, 8.001]), person(1, (8, 9), j8=[9.999, 8.001])],
     [person(1, (8, 9), j8=[9, 8]), person(0, j8=[9, 8])], [6, 3]),
    # An equal person before a near one: neighbouring frames of a film.
    ([moved(0, 0.4), person(0)], [person(0), moved(0, 0.4)], [6, 3]),
    # The real file has lost coordinates of joints.
    ([person(0), person(1, j0=[0, 40]), person(2, **LOST), person(3)],
     [person(2), person(1), person(3)], [9, 6, 12]),
    # The two share the joints 4 to 8: five of the nine in the first.
    ([person(0, range(9)), person(1), person(2)],
     [person(0, range(4, 16)), person(1), person(2)], [3, 6, 9]),
    # Few joints: equal ones are enough, but not half of them.
    ([person(1), person(0, (0, 1))], [person(0, (0, 1))], [6]),
    ([person(1), person(0, (0, 1))], [person(0, (0, 1), j0=[400, 400])], None),
    # Sharing 7 of 16 joints is not being the same person.
    *(([person(0), person(1)],
       [person(0), entry(MPII, 2, joints=entry(MPII, 0)['joints'][:shared]
                         + STRANGER[shared:])], None) for shared in (0, 2, 7)),
    # Joints do not tell twins apart, which harms only them.
    ([person(0), person(1), moved(0, 0.001)], [person(0)], None),
    ([person(0), person(1), moved(0, 0.001)], [person(1)], [6])])
def test_people_are_found_by_their_joints(tmp_path, truth, people, expected):
    if expected is None:
        with pytest.raises(ValueError):
            sizes_of(tmp_path, truth, people)
    else:
        assert sizes_of(tmp_path, truth, people) == expected


def test_twins_whose_heads_are_equally_large(tmp_path):
    equal = np.moveaxis(np.array([BOXES[0], BOXES[1], BOXES[0]], float), 0, 2)
    assert sizes_of(tmp_path, [person(0), person(1), moved(0, 0.001)],
                    [person(0)], headboxes_src=equal) == [3]
