"""Tables as text and by name; names of logged scores."""
import pytest

from hourglass_plugin.evaluation.metric_name import MetricName
from hourglass_plugin.evaluation.table import (
    format_table,
    logged_scores,
    rows_of_logged,
)


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
    ('time', ('', None, 'time'), True),
])
def test_parse_and_str_are_inverse(text, name, is_overall):
    parsed = MetricName.parse(text)
    assert parsed == MetricName(*name) and str(parsed) == text
    assert parsed.is_overall == is_overall
    assert parsed.mean == MetricName(*name[:3])


def test_table_without_what_is_not_annotated():
    rows = {
        MetricName('mpii', None, 'PCKh@0.5'):
        dict(Head=100.0, Knee=1.005, Mean=50.0, all_joints=49.0),
        MetricName('mpii', None, 'PCKh@0.5/visible'):
        dict(Head=float('nan'), Knee=5.0, Mean=7.0, all_joints=8.0),
    }
    assert format_table(rows).splitlines() == [
        '                         Head    Knee    Mean     All',
        'mpii/PCKh@0.5          100.00    1.00   50.00   49.00',
        'mpii/PCKh@0.5/visible       -    5.00    7.00    8.00',
    ]
    scores = logged_scores(rows)
    assert 'mpii/PCKh@0.5/visible/Head' not in scores and len(scores) == 7
    assert format_table(rows_of_logged(scores)).splitlines()[-1].split() == [
        'mpii/PCKh@0.5/visible', '-', '5.00', '8.00', '7.00'
    ]


def test_logged_names_and_back():
    rows = {
        MetricName('mpii', stack, metric):
        dict(Head=1.0 + index, all_joints=2.0, Mean=3.0 + index)
        for index, (stack, metric) in enumerate([
            (None, 'PCKh@0.5'), (None, 'PCKh@0.5/visible'), (1, 'PCKh@0.5')])
    }
    scores = logged_scores(rows)
    assert list(scores) == [
        name for row in rows
        for name in (f'{row}', f'{row}/Head', f'{row}/all_joints')
    ]
    assert scores['mpii/PCKh@0.5/visible'] == 4
    assert rows_of_logged(scores) == rows
    # In any order, as after sorting.
    assert rows_of_logged(dict(sorted(scores.items(), reverse=True))) == rows


def test_scores_of_other_metrics_are_rows_of_a_mean():
    scores = {'coco/AP': 1.0, 'AR': 2.0, 'posetrack/x/AP': 3.0}
    assert [(str(name), row) for name, row in rows_of_logged(scores).items()
            ] == [(name, dict(Mean=score)) for name, score in scores.items()]
