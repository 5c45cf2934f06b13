"""Tables as text and by name."""
from hourglass_plugin.evaluation.metric_name import MetricName
from hourglass_plugin.evaluation.table import (
    format_table,
    logged_scores,
    rows_of_logged,
)

ROWS = {
    MetricName('mpii', None, 'PCKh@0.5'):
    dict(Head=100.0, Knee=1.005, Mean=50.0, all_joints=49.0),
    MetricName('mpii', None, 'PCKh@0.5/visible'):
    dict(Head=float('nan'), Knee=5.0, Mean=7.0, all_joints=8.0),
}


def test_table():
    rows = {name.metric: row for name, row in ROWS.items()}
    assert format_table(rows).splitlines() == [
        '                    Head    Knee    Mean     All',
        'PCKh@0.5          100.00    1.00   50.00   49.00',
        'PCKh@0.5/visible       -    5.00    7.00    8.00',
    ]


def test_logged_names_and_back():
    rows = {
        MetricName('mpii', None, 'PCKh@0.5'):
        dict(Head=1.0, all_joints=2.0, Mean=3.0),
        MetricName('mpii', None, 'PCKh@0.5/visible'):
        dict(Head=4.0, all_joints=5.0, Mean=6.0),
        MetricName('mpii', 1, 'PCKh@0.5'):
        dict(Head=7.0, all_joints=8.0, Mean=9.0),
    }
    scores = logged_scores(rows)
    assert list(scores) == [
        'mpii/PCKh@0.5', 'mpii/PCKh@0.5/Head', 'mpii/PCKh@0.5/all_joints',
        'mpii/PCKh@0.5/visible', 'mpii/PCKh@0.5/visible/Head',
        'mpii/PCKh@0.5/visible/all_joints', 'mpii/stack_1/PCKh@0.5',
        'mpii/stack_1/PCKh@0.5/Head', 'mpii/stack_1/PCKh@0.5/all_joints'
    ]
    assert scores['mpii/PCKh@0.5/visible'] == 6
    assert rows_of_logged(scores) == rows
    # In any order, as after sorting.
    assert rows_of_logged(dict(sorted(scores.items(), reverse=True))) == rows


def test_scores_of_other_metrics_are_rows_of_a_mean():
    scores = {'coco/AP': 1.0, 'AR': 2.0, 'posetrack/x/AP': 3.0}
    assert [(str(name), row) for name, row in rows_of_logged(scores).items()
            ] == [(name, dict(Mean=score)) for name, score in scores.items()]


def test_joints_without_annotation_are_not_logged():
    assert list(logged_scores(ROWS)) == [
        'mpii/PCKh@0.5', 'mpii/PCKh@0.5/Head', 'mpii/PCKh@0.5/Knee',
        'mpii/PCKh@0.5/all_joints', 'mpii/PCKh@0.5/visible',
        'mpii/PCKh@0.5/visible/Knee', 'mpii/PCKh@0.5/visible/all_joints'
    ]
    rows = rows_of_logged(logged_scores(ROWS))
    last = format_table(rows).splitlines()[-1]
    assert last.split() == [
        'mpii/PCKh@0.5/visible', '-', '5.00', '8.00', '7.00'
    ]
