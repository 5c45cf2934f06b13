"""The median distance in pixels."""
import numpy as np
import pytest

from hourglass_plugin.evaluation.metrics import MedianErrorMetric


def test_median_of_annotated_keypoints_in_pixels():
    metric = MedianErrorMetric()
    metric.dataset_meta = dict(
        dataset_name='mouse', keypoint_id2name={0: 'l', 1: 'r', 2: 'tail'},
        flip_indices=[1, 0, 2], skeleton_links=[])
    truth = np.zeros((3, 3, 2))
    shifts = np.array([[3, 5, 90], [1, 7, 90], [2, 90, 90]])
    people = [
        dict(predicted=truth[index] + [[x, 0] for x in shifts[index]],
             truth=truth[index], sizes=1.0,
             annotated=np.array([True, index < 2, False]))
        for index in range(3)]
    scores = metric.compute_metrics(people)
    # Of 3, 1, 2, 5 and 7; the tail is not annotated.
    assert scores['MedianError'] == pytest.approx(3)
    assert scores['MedianError/l+r'] == pytest.approx(3)
    assert 'MedianError/tail' not in scores
