"""PCK by hand."""
import numpy as np
import pytest

from hourglass_plugin.evaluation import (mean_pck, normalized_distances, pck)


def test_distances_in_sizes_of_the_person():
    predicted = np.array([[[3, 4], [0, 0]], [[10, 0], [0, 2]]])
    truth = np.zeros((2, 2, 2))
    distances = normalized_distances(predicted, truth, [10, 20])
    assert distances.tolist() == [[0.5, 0], [0.5, 0.1]]


def test_the_threshold_itself_is_correct():
    distances = np.array([[0.5], [0.5000001], [0.4]])
    assert pck(distances, np.ones((3, 1)), 0.5)[0] == pytest.approx(200 / 3)


def test_only_annotated_keypoints_count():
    distances = np.array([[0.1, 9], [9, 9], [9, 9]])
    annotated = np.array([[1, 0], [1, 0], [0, 0]])
    scores = pck(distances, annotated, 0.5)
    assert scores[0] == 50 and np.isnan(scores[1])


def test_mean_is_weighted_by_counts():
    # 1 of 1 and 1 of 3 correct: 2 of 4, not the mean of 100 and 33.3.
    distances = np.array([[0, 0], [9, 9], [9, 9]])
    annotated = np.array([[1, 1], [0, 1], [0, 1]])
    scores = pck(distances, annotated, 0.5)
    assert mean_pck(scores, annotated, [0, 1]) == pytest.approx(50)
    assert mean_pck(scores, annotated, [1]) == pytest.approx(100 / 3)
    assert np.isnan(mean_pck(scores, 0 * annotated, [0, 1]))


def test_joints_nobody_has_do_not_spoil_the_mean():
    distances, annotated = np.zeros((2, 2)), np.array([[1, 0], [1, 0]])
    scores = pck(distances, annotated, 0.5)
    assert mean_pck(scores, annotated, [0, 1]) == 100


@pytest.mark.parametrize('size', [0, -1, float('nan')])
def test_sizes_must_be_positive(size):
    with pytest.raises(ValueError, match='person 1 has size'):
        normalized_distances(np.zeros((2, 1, 2)), np.zeros((2, 1, 2)),
                             [1, size])


def test_shapes_must_fit():
    with pytest.raises(ValueError, match='do not fit'):
        normalized_distances(np.zeros((2, 3, 2)), np.zeros((2, 1, 2)), [1, 1])
