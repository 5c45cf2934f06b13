"""Metrics: names, columns, left-out people, independence of the order."""
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS

from hourglass_plugin.skeletons import LSP, MPII


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def sample(skeleton, offset, seed=0, annotated=None, **truth):
    """A prediction that is ``offset`` (K,) pixels off in x."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 200, (1, skeleton.num_keypoints, 2))
    predicted = keypoints.copy()
    predicted[0, :, 0] += offset
    visible = np.ones((1, skeleton.num_keypoints))
    if annotated is not None:
        visible[0] = annotated
    return dict(
        pred_instances=dict(keypoints=predicted),
        gt_instances=dict(
            keypoints=keypoints, keypoints_visible=visible, **truth))


def evaluate(metric, skeleton, samples, batch=2):
    metric = METRICS.build(metric)
    metric.dataset_meta = dict(dataset_name=skeleton.name)
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples))


def mpii_people():
    """Head size 10: 5 pixels are PCKh@0.5's limit. Person n is 5.5 pixels off
    in joint n and 4 pixels elsewhere."""
    people = []
    for index in range(16):
        offset = np.full(16, 4.0)
        offset[index] = 5.5
        people.append(
            sample(MPII, offset, index, head_size=np.array([[10.0]])))
    return people


def test_pckh_table():
    scores = evaluate(dict(type='PCKhMetric'), MPII, mpii_people())
    assert list(scores) == ['mpii/PCKh@0.5'] + [
        f'mpii/PCKh@0.5/{column}' for column in
        ('Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle')
    ]
    # Every joint is wrong once in 16 people.
    for score in scores.values():
        assert score == pytest.approx(100 * 15 / 16)


def test_pelvis_and_thorax_are_not_in_the_mean():
    offset = np.zeros(16)
    offset[[6, 7]] = 100  # pelvis, thorax
    people = [sample(MPII, offset, head_size=np.array([[10.0]]))]
    assert evaluate(dict(type='PCKhMetric'), MPII,
                    people)['mpii/PCKh@0.5'] == 100


def test_order_and_batch_size_do_not_matter():
    people = mpii_people()
    results = [
        evaluate(dict(type='PCKhMetric', thresholds=[0.5, 0.1]), MPII, order,
                 batch) for order, batch in ((people, 2), (people[::-1], 5),
                                             (people, 16))
    ]
    assert results[0] == results[1] == results[2]
    assert results[0]['mpii/PCKh@0.1'] == 0


def test_padding_of_the_last_batch_is_dropped():
    people = mpii_people()
    metric = METRICS.build(dict(type='PCKhMetric'))
    metric.dataset_meta = dict(dataset_name='mpii')
    metric.process(None, people + people[:1])
    assert metric.evaluate(16) == evaluate(
        dict(type='PCKhMetric'), MPII, people)


def test_torso_size_is_right_shoulder_to_left_hip():
    person = sample(LSP, np.full(14, 6.0))
    keypoints = person['gt_instances']['keypoints']
    keypoints[0, 8], keypoints[0, 3] = (0, 0), (18, 24)  # 30 pixels apart
    person['pred_instances']['keypoints'] = keypoints + [[[5.99, 0]]]
    metric = dict(type='TorsoPCKMetric', thresholds=[0.2, 0.19])
    scores = evaluate(metric, LSP, [person])
    assert scores['lsp/PCK@0.2'] == 100 and scores['lsp/PCK@0.19'] == 0
    assert 'lsp/PCK@0.2/Neck' in scores


def test_people_without_a_torso_are_left_out():
    seen = np.ones(14)
    seen[3] = 0  # left hip
    good, bad = sample(LSP, 0, 1), sample(LSP, 1000, 2, seen)
    assert evaluate(dict(type='TorsoPCKMetric'), LSP,
                    [good, bad])['lsp/PCK@0.2'] == 100


def test_errors():
    with pytest.raises(ValueError, match='give the data set its headbox_file'):
        evaluate(dict(type='PCKhMetric'), MPII, [sample(MPII, 0)])
    with pytest.raises(ValueError, match='thresholds must be positive'):
        METRICS.build(dict(type='PCKhMetric', thresholds=[0]))
    metric = METRICS.build(dict(type='TorsoPCKMetric'))
    metric.dataset_meta = dict(dataset_name='coco')
    with pytest.raises(ValueError, match="data set is 'coco'"):
        metric.process(None, [sample(LSP, 0)])
