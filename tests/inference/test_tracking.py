"""People keep their numbers through a video."""
import numpy as np

from hourglass_plugin.inference.tracking import Tracker, box_overlap


def box(left, top=0.0):
    return np.array([left, top, left + 10.0, top + 20.0])


def test_overlap_is_intersection_over_union():
    # 5 x 20 in common of 10 x 20 each: 100 / 300.
    overlaps = box_overlap(np.stack([box(0), box(50)]), box(5)[None])
    np.testing.assert_allclose(overlaps, [[1 / 3], [0]])


def test_people_keep_their_numbers_in_any_order():
    tracker = Tracker()
    assert tracker.update([box(0), box(30)]) == [1, 2]
    assert tracker.update([box(28), box(2)]) == [2, 1]
    assert tracker.update([box(60), box(3), box(27)]) == [3, 1, 2]
    # The nearer one of two keeps the number.
    assert tracker.update([box(8), box(4)]) == [4, 1]


def test_number_is_remembered_for_some_frames_and_then_given_up():
    tracker = Tracker(patience=2)
    tracker.update([box(0)])
    for _ in range(2):
        assert tracker.update([]) == []
    assert tracker.update([box(1)]) == [1]
    for _ in range(3):
        tracker.update([])
    assert tracker.update([box(1)]) == [2]
