"""Tables of scores by hand."""
import numpy as np
import pytest

from hourglass_plugin.evaluation.scores import (
    PCKH,
    TORSO_PCK,
    People,
    score_people,
)
from hourglass_plugin.evaluation.table import (
    metainfo_columns,
    skeleton_columns,
)
from hourglass_plugin.skeletons import FLIC, LSP, MPII

HEAD, THORAX, RIGHT_KNEE, LEFT_KNEE, LEFT_WRIST = 9, 7, 1, 4, 15


def score(distances, thresholds=(), **options):
    """Scores of MPII people of size 1 that are ``distances`` (N, 16) off."""
    distances = np.asarray(distances, float)
    truth = np.zeros((*distances.shape, 2))
    predicted = truth.copy()
    predicted[..., 1] = distances
    options = {
        'annotated': np.ones(distances.shape),
        'sizes': np.ones(len(distances)),
        **options
    }
    return score_people(
        People(predicted, truth, **options), skeleton_columns(MPII), PCKH,
        thresholds)


def labelled(scores):
    """The table's rows by their printed labels."""
    return {str(name): row for name, row in scores.rows.items()}


def test_columns_and_means():
    distances = np.zeros((2, 16))
    distances[0, RIGHT_KNEE] = 0.51
    distances[0, THORAX] = 0.51
    annotated = np.ones((2, 16))
    annotated[1, LEFT_KNEE] = 0
    row = labelled(score(distances, annotated=annotated))['PCKh@0.5']
    # Right knee 1 of 2, left knee 1 of 1: their mean, not 2 of 3.
    assert row == {
        'Head': 100,
        'Shoulder': 100,
        'Elbow': 100,
        'Wrist': 100,
        'Hip': 100,
        'Knee': 75,
        'Ankle': 100,
        # 27 annotated joints but pelvis and thorax, one of them wrong.
        'Mean': pytest.approx(100 * 26 / 27),
        'all_joints': pytest.approx(100 * 29 / 31),
        # Two people with eight joints, one not annotated, one wrong.
        'ankle_knee_elbow_wrist': pytest.approx(100 * 14 / 15)
    }


def test_rows_of_thresholds():
    scores = score(np.full((1, 16), 0.15))
    assert [row['Mean'] for row in scores.rows.values()] == [
        100,
        100,
        0,
        # Correct from 0.15 on; the trapezoid from 0.14 counts half:
        # (0.5 - 0.145) / 0.5.
        pytest.approx(71.0)
    ]
    assert list(labelled(scores)) == [
        'PCKh@0.5', 'PCKh@0.2', 'PCKh@0.1', 'AUC'
    ]
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
    occluded = rows['PCKh@0.5/occluded']
    assert (occluded['Mean'], occluded['Head'], occluded['Wrist']) == (50, 100,
                                                                       0)
    assert np.isnan(occluded['Knee'])
    visible = rows['PCKh@0.5/visible']
    # 2 x 14 joints less two occluded and one missing; one wrist is wrong.
    assert visible['Mean'] == pytest.approx(100 * 24 / 25)
    assert visible['Wrist'] == 50  # left 0 of 1, right 2 of 2


def test_no_row_of_occluded_joints_where_there_is_none():
    rows = labelled(score(np.zeros((1, 16)), visible=np.ones((1, 16))))
    assert 'PCKh@0.5/visible' in rows and 'PCKh@0.5/occluded' not in rows
    # An occluded thorax alone has no mean, which would be logged as nan.
    visible = np.ones((1, 16))
    visible[0, THORAX] = 0
    rows = labelled(score(np.zeros((1, 16)), visible=visible))
    assert 'PCKh@0.5/visible' in rows and 'PCKh@0.5/occluded' not in rows


def test_a_row_for_each_stack():
    stacks = np.zeros((1, 2, 16, 2))
    stacks[0, 0, [LEFT_WRIST, HEAD], 0] = 0.6
    rows = labelled(score(np.zeros((1, 16)), stacks=stacks))
    first, second = rows['stack_1/PCKh@0.5'], rows['stack_2/PCKh@0.5']
    assert (first['Head'], first['Wrist']) == (0, 50)
    assert first['ankle_knee_elbow_wrist'] == 100 * 7 / 8
    assert second == rows['PCKh@0.5']


def test_people_without_size_and_predictions_without_place():
    distances = np.zeros((3, 16))
    distances[0, HEAD] = np.nan
    distances[1] = 9
    scores = score(distances, sizes=np.array([1, np.nan, 1]))
    assert (scores.num_people, scores.num_left_out) == (2, 1)
    assert scores.num_joints == 32 and scores.num_not_finite == 1
    assert labelled(scores)['PCKh@0.5']['Head'] == 50
    text = scores.text()
    assert '2 people' in text and '1 people without a size left out' in text
    assert '1 predictions that are not finite count as wrong' in text


def test_no_people_is_an_error():
    with pytest.raises(ValueError):
        score(np.zeros((0, 16)))


def test_text_has_explanations():
    text = score(
        np.full((1, 16), 0.15), stacks=np.zeros((1, 2, 16, 2))).text()
    lines = text.splitlines()
    assert lines[0] == ('mpii: percent of correct joints of 1 people, 16 '
                        'annotated joints')
    assert lines[1].split() == [
        'Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean',
        'All', 'AKEW'
    ]
    assert lines[2].split() == ['PCKh@0.5'] + ['100.00'] * 10
    assert lines[6].split() == ['stack_1/PCKh@0.5'] + ['100.00'] * 10
    assert max(map(len, lines)) < 110
    assert 'without pelvis and thorax; All: with them' in text


EXPLAINED = dict(
    title='PCKh@t: a joint is correct within t times the head size (0.6 x the '
    'diagonal of the head box).',
    area='AUC: area under the curve of PCKh@t for t from 0 to 0.5.',
    column="Each joint's column: mean of left and right.",
    mean='Mean: every annotated joint counts once, without pelvis and thorax; '
    'All: with them.',
    ablation='AKEW: ankles, knees, elbows and wrists.',
    visible='visible, occluded: of the annotated joints, those that can or '
    'cannot be seen.',
    stacks='stack_n: what the n-th stack predicts.')


@pytest.mark.parametrize('options, left_out', [
    (dict(), ['visible', 'stacks']),
    (dict(visible=np.ones((1, 16))), ['stacks']),
    (dict(visible=np.zeros((1, 16))), ['stacks']),
    (dict(stacks=np.zeros((1, 2, 16, 2))), ['visible']),
])
def test_rows_of_the_table_are_explained(options, left_out):
    found = score(np.zeros((1, 16)), **options).explanations()
    assert found == [
        line for name, line in EXPLAINED.items() if name not in left_out
    ]


def test_a_table_of_few_joints_is_explained():
    found = score_people(
        People(
            np.zeros((1, 11, 2)), np.zeros((1, 11, 2)), np.ones((1, 11)),
            np.ones(1)), skeleton_columns(FLIC), TORSO_PCK).explanations()
    assert found[1:] == [
        'AUC: area under the curve of PCK@t for t from 0 to 0.2.',
        EXPLAINED['column'], 'Mean: every annotated joint counts once.'
    ]


def test_one_stack_is_not_repeated():
    distances = np.zeros((1, 16))
    one = score(distances, stacks=np.zeros((1, 1, 16, 2))).rows
    assert list(one) == list(score(distances).rows)


def test_columns_of_the_benchmarks():
    flic, lsp = skeleton_columns(FLIC), skeleton_columns(LSP)
    assert list(flic.joints) == ['Shoulder', 'Elbow', 'Wrist', 'Hip']
    assert list(flic.means) == ['all_joints']  # no knees in the picture
    assert sorted(lsp.means['ankle_knee_elbow_wrist']) == [
        0, 1, 4, 5, 6, 7, 10, 11
    ]


def test_columns_of_a_custom_dataset():
    names = [
        'beak', 'left wing', 'right wing', 'leftFoot', 'rightFoot', 'l_eye',
        'r_eye'
    ]
    columns = metainfo_columns(
        dict(
            dataset_name='my birds',
            keypoint_id2name=dict(enumerate(names)),
            flip_indices=[0, 2, 1, 4, 3, 6, 5]))
    assert columns.joints == {
        'beak': [0],
        'wing': [1, 2],
        'Foot': [3, 4],
        'l_eye+r_eye': [5, 6]
    }
    assert columns.dataset == 'my_birds' and columns.mean == list(range(7))


def test_columns_of_a_known_dataset_are_the_benchmarks():
    metainfo = dict(
        dataset_name='mpii', keypoint_id2name=dict(enumerate(MPII.joints)))
    assert metainfo_columns(metainfo) == skeleton_columns(MPII)


def test_flic_without_the_column_that_only_repeats_the_mean():
    truth = np.zeros((1, 11, 2))
    scores = score_people(
        People(truth, truth, np.ones((1, 11)), np.ones(1)),
        skeleton_columns(FLIC), TORSO_PCK)
    assert labelled(scores)['PCK@0.2']['all_joints'] == 100
    assert 'All' not in scores.text().splitlines()[1].split()
    assert list(scores.summary()) == [
        'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Mean', 'PCK@0.1', 'PCK@0.5',
        'AUC'
    ]
