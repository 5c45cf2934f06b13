"""Metrics: names, sizes, left-out people, independence of the order."""
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fresh_interpreter import run_python
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS

from hourglass_plugin.cli.runner import _ShortScores
from hourglass_plugin.skeletons import FLIC, LSP, MPII


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
    in joint n and 3.95 pixels elsewhere."""
    people = []
    for index in range(16):
        offset = np.full(16, 3.95)
        offset[index] = 5.5
        people.append(
            sample(MPII, offset, index, head_size=np.array([[10.0]])))
    return people


COLUMNS = ('Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle',
           'all_joints', 'ankle_knee_elbow_wrist')


def test_pckh_names_and_table():
    scores = evaluate(dict(type='PCKhMetric'), MPII, mpii_people())
    names = []
    for row in ('PCKh@0.5', 'PCKh@0.2', 'PCKh@0.1', 'AUC'):
        names += [f'mpii/{row}', *(f'mpii/{row}/{name}' for name in COLUMNS)]
    assert list(scores) == names
    # Every joint is wrong once in 16 people; 3.95 and 5.5 pixels are far more
    # than 2 and 1.
    for name, score in scores.items():
        if '@0.5' in name:
            assert score == pytest.approx(100 * 15 / 16)
        elif '@' in name:
            assert score == 0
    # 15 of 16 are correct from 0.395 on, which is sampled at 0.40: the
    # trapezoid before it counts half.
    assert scores['mpii/AUC'] == pytest.approx(100 * 15 / 16 * 0.105 / 0.5)


def test_the_log_line_has_means_only():
    people = mpii_people()
    for person in people:
        person['pred_instances']['stack_keypoints'] = person['pred_instances'][
            'keypoints'][:, None]
        person['raw_ann_info'] = dict(visible=np.arange(16) != 9)
    scores = evaluate(dict(type='PCKhMetric'), MPII, people)
    text = '  '.join(f'{name}: {score:.4f}' for name, score in scores.items())
    record = logging.LogRecord('', logging.INFO, '', 0,
                               f'Epoch(val) [1][2/2]  {text}  time: 0.1', None,
                               None)
    shown = _ShortScores(logging.Formatter()).format(record)
    assert re.findall(r'(\S+): \S+', shown) == [
        'mpii/PCKh@0.5', 'mpii/PCKh@0.2', 'mpii/PCKh@0.1', 'mpii/AUC', 'time'
    ]


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


ONE_OF_TWO_PROCESSES = """
import os
import numpy as np
import torch.distributed as dist
from hourglass_plugin.evaluation import PCKhMetric

rank, folder = {rank}, {folder!r}
os.chdir(folder)  # mmengine leaves a folder behind
dist.init_process_group(
    'gloo', init_method='file://' + folder + '/meeting', rank=rank,
    world_size=2)
people = np.load('people.npy')  # (N, truth, prediction and 2 stacks, 16, 2)
metric = PCKhMetric()
metric.dataset_meta = dict(dataset_name='mpii')
# As mmengine's sampler deals people out: in turn, the first again at the end.
for index in range(rank, len(people) + 1, 2):
    truth, predicted, *stacks = people[index % len(people)]
    metric.process(None, [dict(
        pred_instances=dict(keypoints=predicted[None],
                            stack_keypoints=np.array([stacks])),
        gt_instances=dict(keypoints=truth[None], head_size=np.full((1, 1), 9.),
                          keypoints_visible=np.ones((1, 16))),
        raw_ann_info=dict(visible=truth[:, 0] > 50))])
result = metric.evaluate(len(people))
dist.destroy_process_group()
"""


def test_two_processes_score_like_one(tmp_path):
    """Seven people over two processes, the last batch filled up with the
    first person, against one process in another order: equal to the bit."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 100, (7, 1, 16, 2))
    people = truth + rng.normal(0, 3, (7, 4, 16, 2)) * [[[[0]], [[1]], [[2]],
                                                         [[1]]]]
    np.save(tmp_path / 'people.npy', people)
    with ThreadPoolExecutor(2) as threads:
        (by_two, _), (told, _) = threads.map(run_python, [
            ONE_OF_TWO_PROCESSES.format(rank=rank, folder=str(tmp_path))
            for rank in range(2)
        ])
    samples = []
    for truth, predicted, *stacks in people[::-1]:
        person = sample(MPII, 0, head_size=np.full((1, 1), 9.0))
        person['gt_instances']['keypoints'] = truth[None]
        person['pred_instances'] = dict(
            keypoints=predicted[None], stack_keypoints=np.array([stacks]))
        person['raw_ann_info'] = dict(visible=truth[:, 0] > 50)
        samples.append(person)
    by_one = evaluate(dict(type='PCKhMetric'), MPII, samples, batch=3)
    assert by_one == by_two == told
    assert 0 < by_one['mpii/stack_1/PCKh@0.5'] < by_one['mpii/PCKh@0.5'] < 100
    assert 'mpii/stack_2/PCKh@0.5/Wrist' in by_one
    assert 'mpii/PCKh@0.5/occluded/ankle_knee_elbow_wrist' in by_one


def test_visible_and_occluded_only_if_known_for_all():
    people = mpii_people()
    for person in people:
        person['raw_ann_info'] = dict(visible=np.arange(16) != 9)
    scores = evaluate(dict(type='PCKhMetric'), MPII, people)
    assert scores['mpii/PCKh@0.5/occluded'] == 100 * 15 / 16  # head tops
    assert scores['mpii/PCKh@0.5/visible/Ankle'] == 100 * 15 / 16
    people[3]['raw_ann_info'] = dict()
    scores = evaluate(dict(type='PCKhMetric'), MPII, people)
    assert not [name for name in scores if 'occluded' in name]


def test_flic_uses_the_datasets_torso_size():
    person = sample(FLIC, 6.0)
    # 10 pixels between the labelled joints, but 30 between the person's own.
    keypoints = person['gt_instances']['keypoints']
    keypoints[0, FLIC.indices(FLIC.torso)] = [[0, 0], [6, 8]]
    person['pred_instances']['keypoints'] = keypoints + [[[6.0, 0]]]
    metric = dict(type='TorsoPCKMetric')
    assert evaluate(metric, FLIC, [person])['flic/PCK@0.2'] == 0
    person['raw_ann_info'] = dict(torso_size=30.0)
    scores = evaluate(metric, FLIC, [person])
    assert scores['flic/PCK@0.2'] == scores['flic/PCK@0.2/Wrist'] == 100
    assert scores['flic/PCK@0.1'] == 0


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


@pytest.mark.parametrize('thresholds, rows', [
    (1, ['PCKh@1']),
    ([1, 0.5], ['PCKh@1', 'PCKh@0.5']),
    (np.array([0.1, 0.5]), ['PCKh@0.1', 'PCKh@0.5']),
])
def test_thresholds_of_any_type(thresholds, rows):
    scores = evaluate(
        dict(type='PCKhMetric', thresholds=thresholds), MPII, mpii_people())
    assert [name for name in scores if name.count('/') == 1
            ] == [f'mpii/{row}' for row in (*rows, 'AUC')]


@pytest.mark.parametrize('thresholds', [[0], [], [float('nan')],
                                        [float('inf')]])
def test_thresholds_must_be_positive(thresholds):
    with pytest.raises(ValueError):
        METRICS.build(dict(type='PCKhMetric', thresholds=thresholds))


@pytest.mark.parametrize('kind, name, people', [
    ('PCKhMetric', 'mpii', [sample(MPII, 0)]),  # no head size
    ('PCKhMetric', 'mpii', []),
    ('BoxPCKMetric', 'mpii', [sample(MPII, 0)]),  # no boxes
    ('TorsoPCKMetric', 'coco', [sample(LSP, 0)]),
])
def test_people_without_sizes_are_refused(kind, name, people):
    metric = METRICS.build(dict(type=kind))
    metric.dataset_meta = dict(dataset_name=name)

    def evaluate_people():
        metric.process(None, people)
        metric.evaluate(len(people))

    with pytest.raises(ValueError):
        evaluate_people()


def test_scores_behind_coordinates_and_marks_of_0_and_1():
    person = sample(MPII, 0, head_size=np.array([[10.0]]))
    truth, predicted = person['gt_instances'], person['pred_instances']
    places = truth['keypoints']
    wrong = np.full((1, 16, 1), 1e6)  # where there is no coordinate
    truth['keypoints'] = np.concatenate([places, wrong], 2)
    predicted['keypoints'] = np.concatenate([places, -wrong], 2)
    predicted['stack_keypoints'] = np.concatenate(
        [np.stack([places + 6, places], 1), -wrong[:, None].repeat(2, 1)], 3)
    visible = [int(joint != 9) for joint in range(16)]
    person['raw_ann_info'] = dict(visible=visible)
    scores = evaluate(dict(type='PCKhMetric'), MPII, [person])
    assert scores['mpii/PCKh@0.5'] == 100
    assert scores['mpii/stack_1/PCKh@0.5'] == 0
    assert scores['mpii/stack_2/PCKh@0.5'] == 100
    assert scores['mpii/PCKh@0.5/occluded/Head'] == 100
    assert np.isnan(scores.get('mpii/PCKh@0.5/visible/Head', np.nan))


def test_marks_of_a_keypoint_converter():
    """It puts weights beside the marks, and leaves the annotation as it is,
    which has other joints."""
    person = sample(MPII, 0, head_size=np.array([[10.0]]))
    marks = np.ones((1, 16, 2))
    marks[0, 3] = 0, 1
    person['gt_instances']['keypoints_visible'] = marks
    person['raw_ann_info'] = dict(visible=np.ones(17))
    metric = METRICS.build(dict(type='PCKhMetric'))
    found = metric.person(person)
    assert found['annotated'].tolist() == [joint != 3 for joint in range(16)]
    assert 'visible' not in found


def test_torso_of_joints_with_scores():
    person = sample(LSP, 0)
    keypoints = np.full((1, 14, 3), 1e6)
    keypoints[0, 8, :2], keypoints[0, 3, :2] = (0, 0), (18, 24)
    keypoints[0, 3, 2] = 0
    person['gt_instances']['keypoints'] = keypoints
    metric = METRICS.build(dict(type='TorsoPCKMetric'))
    metric.dataset_meta = dict(dataset_name='lsp')
    assert metric.person_size(person) == 30


class People(list):
    get_data_info = list.__getitem__


@pytest.mark.parametrize('kind, name, person', [
    ('TorsoPCKMetric', 'mpii', dict(raw_ann_info={})),
    ('TorsoPCKMetric', 'birds', dict(raw_ann_info={})),
    ('PCKhMetric', 'birds', dict(head_size=np.ones((1, 1)))),
    ('PCKhMetric', 'mpii', dict(keypoints=None)),
])
def test_unsupported_datasets_are_refused_before_training(kind, name, person):
    metric = METRICS.build(dict(type=kind))
    metric.dataset_meta = dict(dataset_name=name)
    with pytest.raises(ValueError):
        metric.check_dataset(People([person]))


@pytest.mark.parametrize('kind, name, person', [
    ('TorsoPCKMetric', 'lsp', dict(raw_ann_info={})),
    ('TorsoPCKMetric', 'mpii', dict(raw_ann_info=dict(torso_size=9.0))),
    ('PCKhMetric', 'lsp', dict(head_size=np.ones((1, 1)))),
    ('PCKhMetric', None, dict(head_size=np.ones((1, 1)))),
])
def test_datasets_with_sizes_are_supported(kind, name, person):
    metric = METRICS.build(dict(type=kind))
    if name is not None:
        metric.dataset_meta = dict(dataset_name=name)
    metric.check_dataset(People([person]))


@pytest.fixture
def messages(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_a_prefix_replaces_the_datasets_name(messages):
    options = dict(type='PCKhMetric', prefix='ours', collect_device='gpu')
    assert METRICS.build(options).collect_device == 'gpu'
    scores = evaluate(dict(type='PCKhMetric', prefix='ours'), MPII,
                      mpii_people())
    assert all(name.startswith('ours/') for name in scores)
    assert messages.records[-1].getMessage().startswith('ours: percent of')


def test_no_warning_without_a_prefix(messages):
    METRICS.build(dict(type='PCKhMetric'))
    assert not [
        record for record in messages.records if record.levelname == 'WARNING'
    ]


def test_the_table_is_explained_once(messages):
    metric = METRICS.build(dict(type='PCKhMetric'))
    metric.dataset_meta = dict(dataset_name='mpii')
    tables = []
    for _ in range(2):
        metric.process(None, mpii_people())
        metric.evaluate(16)
        tables.append(messages.records[-1].getMessage())
    first, second = tables
    assert first.startswith(second) and 'within t times' in first
    assert 'within t times' not in second
