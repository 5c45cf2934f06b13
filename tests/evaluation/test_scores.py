"""PCK, tables of scores and the names of logged scores, by hand."""
import numpy as np
import pytest

from hourglass_plugin.evaluation.metric_name import MetricName
from hourglass_plugin.evaluation.pck import (
    area_under_curve,
    curve_thresholds,
    mean_pck,
    normalized_distances,
    pck,
    pck_curve,
)
from hourglass_plugin.evaluation.scores import (
    PCKH,
    TORSO_PCK,
    People,
    score_people,
)
from hourglass_plugin.evaluation.table import (
    format_table,
    logged_scores,
    metainfo_columns,
    rows_of_logged,
    skeleton_columns,
)
from hourglass_plugin.skeletons import FLIC, MPII

HEAD, THORAX, RIGHT_KNEE, LEFT_KNEE, LEFT_WRIST = 9, 7, 1, 4, 15


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
        37.5, 100]


def score(distances, thresholds=(), skeleton=MPII, normalizer=PCKH, **options):
    """Scores of people of size 1 that are ``distances`` (N, K) off."""
    distances = np.asarray(distances, float)
    truth = np.zeros((*distances.shape, 2))
    predicted = truth.copy()
    predicted[..., 1] = distances
    options.setdefault('annotated', np.ones(distances.shape))
    options.setdefault('sizes', np.ones(len(distances)))
    return score_people(
        People(predicted, truth, **options), skeleton_columns(skeleton),
        normalizer, thresholds)


def labelled(scores):
    """The table's rows by their printed labels."""
    return {str(name): row for name, row in scores.rows.items()}


def test_columns_and_means():
    distances = np.zeros((2, 16))
    distances[0, RIGHT_KNEE] = distances[0, THORAX] = 0.51
    annotated = np.ones((2, 16))
    annotated[1, LEFT_KNEE] = 0
    row = labelled(score(distances, annotated=annotated))['PCKh@0.5']
    # Right knee 1 of 2, left knee 1 of 1: their mean, not 2 of 3.
    assert row == dict(
        Head=100, Shoulder=100, Elbow=100, Wrist=100, Hip=100, Knee=75,
        Ankle=100,
        # 27 annotated joints but pelvis and thorax, one of them wrong.
        Mean=pytest.approx(100 * 26 / 27),
        all_joints=pytest.approx(100 * 29 / 31),
        # Two people with eight joints, one not annotated, one wrong.
        ankle_knee_elbow_wrist=pytest.approx(100 * 14 / 15))


def test_rows_of_thresholds():
    scores = score(np.full((1, 16), 0.15))
    assert {name: row['Mean'] for name, row in labelled(scores).items()} == {
        'PCKh@0.5': 100,
        'PCKh@0.2': 100,
        'PCKh@0.1': 0,
        # Correct from 0.15 on; the trapezoid from 0.14 counts half:
        # (0.5 - 0.145) / 0.5.
        'AUC': pytest.approx(71.0)}
    assert scores.mean_curve.tolist() == [0] * 15 + [100] * 36
    scores = score(np.full((1, 16), 0.15), thresholds=[0.1])
    assert labelled(scores)['AUC']['Mean'] == 0
    assert len(scores.thresholds) == 11


def test_visible_and_occluded_joints_apart():
    distances = np.zeros((2, 16))
    distances[:, LEFT_WRIST] = 9
    visible = np.ones((2, 16))
    visible[0, LEFT_WRIST] = visible[1, HEAD] = visible[1, RIGHT_KNEE] = 0
    annotated = np.ones((2, 16))
    annotated[1, RIGHT_KNEE] = 0  # not occluded: not annotated
    rows = labelled(score(distances, visible=visible, annotated=annotated))
    occluded, visible = rows['PCKh@0.5/occluded'], rows['PCKh@0.5/visible']
    assert [occluded[name] for name in ('Mean', 'Head', 'Wrist')
            ] == [50, 100, 0]
    assert np.isnan(occluded['Knee'])
    # 2 x 14 joints less two occluded and one missing; one wrist is wrong.
    assert visible['Mean'] == pytest.approx(100 * 24 / 25)
    assert visible['Wrist'] == 50  # left 0 of 1, right 2 of 2
    # No row of occluded joints that are not in the mean.
    visible = np.arange(16)[None] != THORAX
    rows = labelled(score(np.zeros((1, 16)), visible=visible))
    assert 'PCKh@0.5/visible' in rows and 'PCKh@0.5/occluded' not in rows


def test_a_row_for_each_of_several_stacks():
    stacks = np.zeros((1, 2, 16, 2))
    stacks[0, 0, [LEFT_WRIST, HEAD], 0] = 0.6
    rows = labelled(score(np.zeros((1, 16)), stacks=stacks))
    first, second = rows['stack_1/PCKh@0.5'], rows['stack_2/PCKh@0.5']
    assert (first['Head'], first['Wrist']) == (0, 50)
    assert first['ankle_knee_elbow_wrist'] == 100 * 7 / 8
    assert second == rows['PCKh@0.5']
    rows = labelled(score(np.zeros((1, 16)), stacks=stacks[:, :1]))
    assert not [name for name in rows if 'stack' in name]


def test_people_without_size_and_predictions_without_place():
    distances = np.zeros((3, 16))
    distances[0, HEAD] = np.nan
    distances[1] = 9
    scores = score(distances, sizes=np.array([1, np.nan, 1]))
    assert (scores.num_people, scores.num_left_out) == (2, 1)
    assert scores.num_joints == 32 and scores.num_not_finite == 1
    assert labelled(scores)['PCKh@0.5']['Head'] == 50
    with pytest.raises(ValueError):
        score(np.zeros((0, 16)))


def test_rows_of_the_printed_table_are_explained():
    scores = score(np.full((1, 16), 0.15), visible=np.zeros((1, 16)),
                   stacks=np.zeros((1, 2, 16, 2)))
    lines = scores.text().splitlines()
    assert lines[1].split() == [
        'Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean',
        'All', 'AKEW']
    assert lines[2].split() == ['PCKh@0.5'] + ['100.00'] * 10
    assert len(lines) == 2 + len(scores.rows) + 7  # explanations


def test_flic_without_the_column_that_only_repeats_the_mean():
    scores = score(np.zeros((1, 11)), (), FLIC, TORSO_PCK)
    assert labelled(scores)['PCK@0.2']['all_joints'] == 100
    assert 'All' not in scores.text().splitlines()[1].split()
    assert len(scores.explanations()) == 4  # without AKEW


def test_columns_of_a_custom_dataset():
    names = ('beak', 'left wing', 'right wing', 'leftFoot', 'rightFoot',
             'l_eye', 'r_eye')
    columns = metainfo_columns(
        dict(
            dataset_name='my birds',
            keypoint_id2name=dict(enumerate(names)),
            flip_indices=[0, 2, 1, 4, 3, 6, 5]))
    assert columns.joints == {
        'beak': [0], 'wing': [1, 2], 'Foot': [3, 4], 'l_eye+r_eye': [5, 6]}
    assert columns.dataset == 'my_birds' and columns.mean == list(range(7))
    metainfo = dict(
        dataset_name='mpii', keypoint_id2name=dict(enumerate(MPII.joints)))
    assert metainfo_columns(metainfo) == skeleton_columns(MPII)


@pytest.mark.parametrize('text, name, is_overall', [
    ('mpii/PCKh@0.5', ('mpii', None, 'PCKh@0.5'), True),
    ('lsp/PCK@0.2/Head', ('lsp', None, 'PCK@0.2', 'Head'), False),
    ('lsp/stack_12/PCK@0.2', ('lsp', 12, 'PCK@0.2'), False),
    ('lsp/stack_1/PCK@0.2/Upper arm', ('lsp', 1, 'PCK@0.2', 'Upper arm'),
     False),
    ('mpii/PCKh@0.5/visible', ('mpii', None, 'PCKh@0.5/visible'), False),
    ('mpii/PCKh@0.5/occluded/Knee',
     ('mpii', None, 'PCKh@0.5/occluded', 'Knee'), False),
    ('coco/stack_1', ('coco', None, 'stack_1'), True),
    ('time', ('', None, 'time'), True)])
def test_parse_and_str_are_inverse(text, name, is_overall):
    parsed = MetricName.parse(text)
    assert parsed == MetricName(*name) and str(parsed) == text
    assert parsed.is_overall == is_overall
    assert parsed.mean == MetricName(*name[:3])


def test_table_and_logged_names_and_back():
    """Without what is not annotated."""
    rows = {
        MetricName('mpii', stack, metric):
        dict(Head=head, Knee=1.005, Mean=50.0 + mean, all_joints=49.0)
        for mean, (stack, metric, head) in enumerate([
            (None, 'PCKh@0.5', 100.0), (None, 'PCKh@0.5/visible', np.nan),
            (1, 'PCKh@0.5', 0.0)])}
    assert format_table(rows).splitlines() == [
        '                         Head    Knee    Mean     All',
        'mpii/PCKh@0.5          100.00    1.00   50.00   49.00',
        'mpii/PCKh@0.5/visible       -    1.00   51.00   49.00',
        'mpii/stack_1/PCKh@0.5    0.00    1.00   52.00   49.00']
    scores = logged_scores(rows)
    assert list(scores) == [
        name for row in map(str, rows)
        for name in (row, f'{row}/Head', f'{row}/Knee', f'{row}/all_joints')
        if name != 'mpii/PCKh@0.5/visible/Head']
    assert scores['mpii/PCKh@0.5/visible'] == 51
    # The means come last; in any order, as after sorting.
    del rows[MetricName('mpii', None, 'PCKh@0.5/visible')]['Head']
    assert rows_of_logged(scores) == rows
    assert rows_of_logged(dict(sorted(scores.items(), reverse=True))) == rows
    assert format_table(rows_of_logged(scores)).splitlines()[2].split() == [
        'mpii/PCKh@0.5/visible', '-', '1.00', '49.00', '51.00']


def test_scores_of_other_metrics_are_rows_of_a_mean():
    scores = {'coco/AP': 1.0, 'AR': 2.0, 'posetrack/x/AP': 3.0}
    assert [(str(name), row) for name, row in rows_of_logged(scores).items()
            ] == [(name, dict(Mean=score)) for name, score in scores.items()]
