"""PCK by hand."""
import numpy as np
import pytest

from hourglass_plugin.evaluation.pck import (
    area_under_curve,
    curve_thresholds,
    mean_pck,
    normalized_distances,
    pck,
    pck_curve,
)


def test_distances_in_sizes_of_the_person():
    predicted = np.array([[[3, 4], [0, 0]], [[10, 0], [0, 2]]])
    distances = normalized_distances(predicted, np.zeros((2, 2, 2)), [10, 20])
    assert distances.tolist() == [[0.5, 0], [0.5, 0.1]]


@pytest.mark.parametrize('joints, size', [(1, 0), (1, -1), (1, float('nan')),
                                          (1, float('inf')), (3, 1)])
def test_shapes_must_fit_and_sizes_be_positive(joints, size):
    with pytest.raises(ValueError):
        normalized_distances(np.zeros((2, joints, 2)), np.zeros((2, 1, 2)),
                             [1, size])


def test_only_annotated_keypoints_count_and_the_threshold_is_correct():
    distances = np.array([[0.5, 9, 9], [0.5000001, 9, 9], [0.4, 9, 0.1]])
    annotated = np.array([[1, 0, 0], [1, 0, 1], [1, 0, 1]])
    np.testing.assert_allclose(
        pck(distances, annotated, 0.5), [200 / 3, np.nan, 50])
    np.testing.assert_allclose(
        pck_curve(distances, annotated, [0.1, 0.4, 9]),
        [[0, np.nan, 50], [100 / 3, np.nan, 50], [100, np.nan, 100]])


def test_mean_is_weighted_by_counts():
    # 1 of 1 and 1 of 3 correct: 2 of 4, not the mean of 100 and 33.3. The
    # third joint, without annotation, does not count.
    distances = np.array([[0, 0, 0], [9, 9, 0], [9, 9, 0]])
    annotated = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0]])
    scores = pck(distances, annotated, 0.5)
    assert mean_pck(scores, annotated, [0, 1, 2]) == pytest.approx(50)
    assert mean_pck(scores, annotated, [1]) == pytest.approx(100 / 3)
    assert np.isnan(mean_pck(scores, annotated, [2]))


@pytest.mark.parametrize('last, count', [(0.5, 51), (0.2, 21), (1.5, 151)])
def test_the_curve_is_sampled_at_hundredths(last, count):
    # k / 100 is what a distance of k pixels in 100 is, bit for bit.
    assert curve_thresholds(last).tolist() == [k / 100 for k in range(count)]


def test_the_curve_ends_at_thresholds_between_hundredths():
    thresholds = curve_thresholds(0.125)
    assert thresholds[0] == 0 and thresholds[-1] == 0.125
    np.testing.assert_allclose(np.diff(thresholds), 0.125 / 12)
    assert curve_thresholds(0.001).tolist() == [0, 0.001]


def test_area_by_trapezoids():
    # 0, 50, 100 at 0, 0.5, 1: a triangle, half of the square.
    assert area_under_curve([0, 50, 100]) == 50
    # 25 at first, then 50 on average: (25 + 50) / 2.
    assert area_under_curve([[25, 100], [25, 100], [75, 100]]).tolist() == [
        37.5, 100
    ]
    # Distances spread evenly over 0 to 1 give the curve t, whose area up to
    # 0.5 is a quarter of the largest possible; 1000 samples are 0.1 % off.
    distances = np.arange(1, 1001)[:, None] / 1000
    curve = pck_curve(distances, np.ones((1000, 1)), curve_thresholds(0.5))
    assert area_under_curve(curve)[0] == pytest.approx(25, abs=0.1)
