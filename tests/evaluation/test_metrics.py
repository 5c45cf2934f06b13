"""Metrics: names, sizes, left-out people, independence of the order."""
import numpy as np
import pytest
from mmpose.registry import METRICS

from hourglass_plugin.skeletons import FLIC, LSP, MPII

HEAD_TOP = 9


def sample(skeleton, offset, seed=0, **truth):
    """A prediction that is ``offset`` (K,) pixels off in x."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 200, (1, skeleton.num_keypoints, 2))
    predicted = keypoints.copy()
    predicted[0, :, 0] += offset
    return dict(
        pred_instances=dict(keypoints=predicted),
        gt_instances=dict(
            keypoints=keypoints, keypoints_visible=np.ones(
                (1, skeleton.num_keypoints)), **truth))


def build(metric, name, **options):
    metric = METRICS.build(dict(type=f'{metric}Metric', **options))
    if name is not None:
        metric.dataset_meta = dict(dataset_name=name)
    return metric


def evaluate(metric, name, samples, batch=2, **options):
    metric = build(metric, name, **options)
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples))


def mpii_person(offset=0, seed=0):
    """Head size 10: 5 pixels are PCKh@0.5's limit."""
    return sample(MPII, offset, seed, head_size=np.array([[10.0]]))


def mpii_people():
    """Person n is 5.5 pixels off in joint n and 3.95 pixels elsewhere."""
    return [
        mpii_person(np.where(np.arange(16) == index, 5.5, 3.95), index)
        for index in range(16)]


def test_pckh_names_and_table():
    scores = evaluate('PCKh', 'mpii', mpii_people())
    assert list(scores) == [
        f'mpii/{row}{column}'
        for row in ('PCKh@0.5', 'PCKh@0.2', 'PCKh@0.1', 'AUC')
        for column in ('', '/Head', '/Shoulder', '/Elbow', '/Wrist', '/Hip',
                       '/Knee', '/Ankle', '/all_joints',
                       '/ankle_knee_elbow_wrist')]
    # Every joint is wrong once in 16 people. 15 of 16 are correct from 0.395
    # on, which is sampled at 0.40: the trapezoid before it counts half.
    assert scores['mpii/PCKh@0.5'] == pytest.approx(100 * 15 / 16)
    assert scores['mpii/AUC'] == pytest.approx(100 * 15 / 16 * 0.105 / 0.5)


def test_order_batches_and_padding_do_not_matter():
    """Processes: tests/tools/test_tool_runs.py, tests/stress."""
    people = mpii_people()
    expected = evaluate('PCKh', 'mpii', people)
    assert evaluate('PCKh', 'mpii', people[::-1], batch=5) == expected
    metric = build('PCKh', 'mpii')
    metric.process(None, people + people[:1])
    assert metric.evaluate(16) == expected


def test_flic_uses_the_datasets_torso_size():
    person = sample(FLIC, 6.0)
    # 10 pixels between the labelled joints, but 30 between the person's own.
    keypoints = person['gt_instances']['keypoints']
    keypoints[0, FLIC.indices(FLIC.torso)] = [[0, 0], [6, 8]]
    person['pred_instances']['keypoints'] = keypoints + [[[6.0, 0]]]
    assert evaluate('TorsoPCK', 'flic', [person])['flic/PCK@0.2'] == 0
    person['raw_ann_info'] = dict(torso_size=30.0)
    scores = evaluate('TorsoPCK', 'flic', [person])
    assert scores['flic/PCK@0.2'] == scores['flic/PCK@0.2/Wrist'] == 100
    assert scores['flic/PCK@0.1'] == 0


def test_torso_size_is_right_shoulder_to_left_hip():
    """With scores behind the coordinates, which do not count."""
    person = sample(LSP, 0)
    keypoints = np.full((1, 14, 3), 1e6)
    keypoints[0, 8, :2], keypoints[0, 3] = (0, 0), (18, 24, 0)  # 30 px apart
    person['gt_instances']['keypoints'] = keypoints
    person['pred_instances']['keypoints'] = keypoints + [[[5.99, 0, 0]]]
    scores = evaluate('TorsoPCK', 'lsp', [person], thresholds=[0.2, 0.19])
    assert scores['lsp/PCK@0.2'] == 100 and scores['lsp/PCK@0.19'] == 0
    assert 'lsp/PCK@0.2/Neck' in scores


def test_thresholds_and_prefix_of_the_names(messages):
    for thresholds, rows in ((1, ['PCKh@1']), (np.array([0.1]), ['PCKh@0.1']),
                             ([1, 0.5], ['PCKh@1', 'PCKh@0.5'])):
        scores = evaluate('PCKh', 'mpii', mpii_people(), prefix='ours',
                          thresholds=thresholds)
        assert [name for name in scores if name.count('/') == 1
                ] == [f'ours/{row}' for row in (*rows, 'AUC')]
    assert messages.records[-1].getMessage().startswith('ours: ')
    for wrong in ([0], [], [float('nan')], [float('inf')]):
        with pytest.raises(ValueError):
            build('PCKh', None, thresholds=wrong)


@pytest.mark.parametrize('kind, name, people', [
    ('PCKh', 'mpii', [sample(MPII, 0)]),  # no head size
    ('PCKh', 'mpii', []),
    ('BoxPCK', 'mpii', [sample(MPII, 0)]),  # no boxes
    ('TorsoPCK', 'coco', [sample(LSP, 0)]),
    ('TorsoPCK', 'mpii', [sample(MPII, 0)]),  # no torso
    ('PCKh', 'birds', [mpii_person()])])
def test_people_without_sizes_are_refused(kind, name, people):
    with pytest.raises(ValueError):
        evaluate(kind, name, people)


def test_scores_behind_coordinates_and_marks_of_0_and_1():
    person = mpii_person()
    truth, predicted = person['gt_instances'], person['pred_instances']
    places = truth['keypoints']
    wrong = np.full((1, 16, 1), 1e6)  # where there is no coordinate
    truth['keypoints'] = np.concatenate([places, wrong], 2)
    predicted['keypoints'] = np.concatenate([places, -wrong], 2)
    predicted['stack_keypoints'] = np.concatenate(
        [np.stack([places + 6, places], 1), -wrong[:, None].repeat(2, 1)], 3)
    visible = [int(joint != HEAD_TOP) for joint in range(16)]
    person['raw_ann_info'] = dict(visible=visible)
    scores = evaluate('PCKh', 'mpii', [person])
    assert scores['mpii/PCKh@0.5'] == 100
    assert scores['mpii/stack_1/PCKh@0.5'] == 0
    assert scores['mpii/stack_2/PCKh@0.5'] == 100
    assert scores['mpii/PCKh@0.5/occluded/Head'] == 100
    # Visibility must be known of all people.
    scores = evaluate('PCKh', 'mpii', [mpii_person(), person])
    assert not [name for name in scores if 'occluded' in name]


def test_marks_of_a_keypoint_converter():
    """It puts weights beside the marks, and leaves the annotation as it is,
    which has other joints."""
    person = mpii_person()
    marks = np.ones((1, 16, 2))
    marks[0, 3] = 0, 1
    person['gt_instances']['keypoints_visible'] = marks
    person['raw_ann_info'] = dict(visible=np.ones(17))
    found = build('PCKh', None).person(person)
    assert found['annotated'].tolist() == [joint != 3 for joint in range(16)]
    assert 'visible' not in found


def test_the_table_is_explained_once_and_without_warnings(messages):
    metric = build('PCKh', 'mpii')
    assert {record.levelname for record in messages.records} <= {'DEBUG'}
    tables = []
    for _ in range(2):
        metric.process(None, mpii_people())
        metric.evaluate(16)
        tables.append(messages.records[-1].getMessage())
    first, second = tables
    assert first.startswith(second) and len(first) > len(second)


def test_box_pck_of_a_custom_dataset():
    """Larger sides 40 and 30: 4 pixels are 0.1 of the one, more of the
    other. Only the right wing is off, and the tail is not annotated."""
    names = ['beak', 'left_wing', 'right_wing', 'tail']
    people = []
    for box in ((10, 10, 50, 30), (80, 10, 99, 40)):
        truth = np.array([[[20., 20], [30, 30], [40, 30], [50, 50]]])
        people.append(
            dict(
                gt_instances=dict(
                    bboxes=np.array([box], float), keypoints=truth,
                    keypoints_visible=np.array([[2, 1, 2, 0]])),
                pred_instances=dict(
                    keypoints=truth + np.eye(4)[2][:, None] * [0, 4])))
    metric = build('BoxPCK', None)
    metric.dataset_meta = dict(
        dataset_name='birds', flip_indices=[0, 2, 1, 3],
        keypoint_id2name=dict(enumerate(names)))
    metric.process(None, people)
    scores = metric.evaluate(2)
    assert scores['birds/BoxPCK@0.2'] == 100
    assert scores['birds/BoxPCK@0.1'] == pytest.approx(100 * 5 / 6)
    assert scores['birds/BoxPCK@0.1/wing'] == 75  # left 2 of 2, right 1 of 2
    assert scores['birds/BoxPCK@0.05/wing'] == 50
    assert scores['birds/BoxPCK@0.05/beak'] == 100
    assert 'birds/BoxPCK@0.2/tail' not in scores
    assert 'birds/BoxPCK_AUC' in scores
    people[0]['gt_instances']['bboxes'] = np.array([[2, 3, 2, 3]])
    assert np.isnan(metric.person_size(people[0]))


def test_median_of_annotated_keypoints_in_pixels():
    metric = build('MedianError', None)
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
