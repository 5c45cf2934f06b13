"""BoxPCKMetric, also of a custom dataset."""
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def person(box, off):
    """Four keypoints, the tail not annotated, the right wing ``off``."""
    truth = np.array([[[20., 20], [30, 30], [40, 30], [50, 50]]])
    predicted = truth.copy()
    predicted[0, 2, 1] += off
    return dict(
        gt_instances=dict(
            bboxes=np.array([box], float), keypoints=truth,
            keypoints_visible=np.array([[2, 1, 2, 0]])),
        pred_instances=dict(keypoints=predicted))


@pytest.mark.parametrize('box, size', [((2, 3, 2.5, 3.25), 0.5),
                                       ((2, 3, 2.25, 3.5), 0.5),
                                       ((2, 3, 2, 3), np.nan)])
def test_larger_side_of_the_box(box, size):
    metric = METRICS.build(dict(type='BoxPCKMetric'))
    np.testing.assert_equal(metric.person_size(person(box, 0)), size)


def test_box_pck_of_a_custom_dataset():
    """Larger sides 40 and 30: 4 pixels are 0.1 of the one, more of the
    other."""
    metric = METRICS.build(dict(type='BoxPCKMetric'))
    metric.dataset_meta = dict(
        dataset_name='birds', flip_indices=[0, 2, 1, 3],
        keypoint_id2name=dict(
            enumerate(['beak', 'left_wing', 'right_wing', 'tail'])))
    metric.process(
        None, [person((10, 10, 50, 30), 4), person((80, 10, 99, 40), 4)])
    scores = metric.evaluate(2)
    assert scores['birds/BoxPCK@0.2'] == 100
    assert scores['birds/BoxPCK@0.1'] == pytest.approx(100 * 5 / 6)
    assert scores['birds/BoxPCK@0.1/wing'] == 75  # left 2 of 2, right 1 of 2
    assert scores['birds/BoxPCK@0.05/wing'] == 50
    assert scores['birds/BoxPCK@0.05/beak'] == 100
    assert 'birds/BoxPCK@0.2/tail' not in scores
    assert 'birds/BoxPCK_AUC' in scores
