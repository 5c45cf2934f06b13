"""Error analysis by hand."""
import numpy as np
import pytest

from hourglass_plugin.evaluation.pck import curve_thresholds, pck
from hourglass_plugin.evaluation.scores import column_curves
from hourglass_plugin.evaluation.table import skeleton_columns
from hourglass_plugin.report.analysis import (
    best_median_worst,
    errors_by_size,
    left_right_confusions,
    mean_errors,
)
from hourglass_plugin.skeletons import LSP


def test_mean_errors_are_of_annotated_joints():
    distances = np.array([[1., 3., 9.], [1., np.nan, 2.], [1., 1., 1.],
                          [np.nan, 4., 0.], [7., 5., 9.]])
    annotated = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 1, 1],
                          [0, 1, 0]])
    np.testing.assert_equal(
        mean_errors(distances, annotated), [2, np.inf, np.nan, 2, 5])


@pytest.mark.parametrize('errors, count, expected', [
    # In order 2, 5, 3, 6, 0, 7, 8, 4: the middle is between 6 and 0.
    ([5, np.nan, 1, 3, np.inf, 2, 4, 6, 7], 2, ([2, 5], [6, 0], [4, 8])),
    # Of few people no person is shown twice.
    ([], 8, ([], [], [])),
    ([np.nan, 3], 8, ([1], [], [])),
    ([4, 3], 8, ([1], [], [0])),
    ([4, 3, 2, 1], 8, ([3], [2], [0])),
    ([6, 5, 4, 3, 2, 1], 8, ([5, 4], [3, 2], [0, 1])),
    # So many that only a stable order is in order.
    ([1] * 30, 8,
     (list(range(8)), list(range(11, 19)), list(range(29, 21, -1))))])
def test_best_median_and_worst_people(errors, count, expected):
    found = best_median_worst(np.array(errors, float), count)
    assert (found['best'], found['median'], found['worst']) == expected


def test_errors_by_size():
    sizes = np.array([10., 20., 20., 40.])
    # Pixels off: 1 and 2; 4 and 6; 8 (the other is not annotated); 16, inf.
    pixels = np.array([[1, 2], [4, 6], [8, 99], [16, np.nan]])
    distances = pixels / sizes[:, None]
    annotated = np.array([[1, 1], [1, 1], [1, 0], [1, 1]], bool)
    small, large = errors_by_size(distances, annotated, sizes, [0, 1], 0.2, 2)
    # The median is 20, and people of 20 stay together; 0.1 and 0.2 sizes.
    assert small == (10, 10, 1, 100, 1.5)
    # In sizes 0.2, 0.3; 0.4; 0.4, not finite.
    assert large == (20, 40, 3, pytest.approx(20), 8)
    # A joint that does not count.
    group, = errors_by_size(distances[2:3], annotated[:1], np.array([20.]),
                            [0], 0.4, 5)
    assert group == (20, 20, 1, 100, 8)
    assert errors_by_size(distances[:0], annotated[:0], np.zeros(0), [0], 0.3,
                          5) == []


def test_groups_are_equally_large():
    groups = errors_by_size(
        np.zeros((6, 1)), np.ones((6, 1), bool),
        np.array([60., 10, 50, 20, 40, 30]), [0], 0.2, 3)
    assert [group[:3] for group in groups] == [(10, 20, 2), (30, 40, 2),
                                               (50, 60, 2)]


def test_left_taken_for_right():
    # Joints: nose, left ear, right ear, left eye, right eye.
    truth = np.zeros((3, 5, 2))
    truth[..., 0] = [5, 0, 10, 0, 10]
    predicted = truth.copy()
    # The first person's ears are exchanged, 1 px off; an eye is in the middle,
    # as far from both; the other is nearer to the other side, not on it.
    predicted[0, :, 0] = [10, 11, 1, 5, 4]
    # The second one's right ear is not annotated, so neither is looked at.
    predicted[1, :, 0] = [5, 10, 0, 0, np.nan]
    annotated = np.ones((3, 5), bool)
    annotated[1, 2] = False
    found = left_right_confusions(predicted, truth, annotated,
                                  np.full(3, 10.), [0, 2, 1, 4, 3], 0.2)
    # Three of the first person's four are confused.
    assert found == ({(1, 2): (4, 2, 2), (3, 4): (6, 1, 0)}, 3, 1)
    assert left_right_confusions(predicted, truth, annotated, np.full(3, 10.),
                                 range(5), 0.2) == ({}, 0, 0)


@pytest.mark.parametrize('left, right, counts, flipped', [
    (8, 2, (2, 2, 2), 1),  # at the threshold
    (7.99, 2.01, (2, 2, 0), 1),
    (10, 10, (2, 1, 1), 0),  # half of the joints
])
def test_found_at_the_threshold_and_flipped_of_more_than_half(
        left, right, counts, flipped):
    truth = np.array([[[0., 0], [10, 0]]])
    predicted = np.array([[[left, 0], [right, 0]]])
    found = left_right_confusions(predicted, truth, np.ones((1, 2), bool),
                                  np.array([10.]), [1, 0], 0.2)
    assert found == ({(0, 1): counts}, 1, flipped)


def test_column_curves_are_the_table_at_each_threshold():
    rng = np.random.RandomState(0)
    distances = rng.uniform(0, 0.4, (30, 14))
    annotated = rng.rand(30, 14) < 0.7
    thresholds = curve_thresholds(0.2)
    curves = column_curves(distances, annotated, skeleton_columns(LSP),
                           thresholds)
    correct = (distances <= thresholds[13]) & annotated
    assert curves['Mean'][13] == pytest.approx(
        100 * correct.sum() / annotated.sum())
    # Left and right count alike, however often they are annotated.
    wrists = LSP.indices(['left_wrist', 'right_wrist'])
    assert curves['Wrist'][13] == pytest.approx(
        pck(distances, annotated, thresholds[13])[wrists].mean())
    assert all(curve.shape == (21, ) for curve in curves.values())
