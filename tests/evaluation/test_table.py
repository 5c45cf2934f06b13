"""Tables as text and by name."""
from hourglass_plugin.evaluation.table import (
    format_table,
    logged_scores,
    rows_of_logged,
)

ROWS = {
    'PCKh@0.5': dict(Head=100.0, Knee=1.005, Mean=50.0, all_joints=49.0),
    'PCKh@0.5/visible': dict(
        Head=float('nan'), Knee=5.0, Mean=7.0, all_joints=8.0),
}


def test_table():
    assert format_table(ROWS).splitlines() == [
        '                    Head    Knee    Mean     All',
        'PCKh@0.5          100.00    1.00   50.00   49.00',
        'PCKh@0.5/visible       -    5.00    7.00    8.00',
    ]


def test_names_and_back():
    rows = {
        'PCKh@0.5': dict(Head=1.0, all_joints=2.0, Mean=3.0),
        'PCKh@0.5/visible': dict(Head=4.0, all_joints=5.0, Mean=6.0),
        'stack_1/PCKh@0.5': dict(Head=7.0, all_joints=8.0, Mean=9.0),
    }
    scores = logged_scores(rows)
    assert list(scores) == [
        'PCKh@0.5', 'PCKh@0.5/Head', 'PCKh@0.5/all_joints', 'PCKh@0.5/visible',
        'PCKh@0.5/visible/Head', 'PCKh@0.5/visible/all_joints',
        'stack_1/PCKh@0.5', 'stack_1/PCKh@0.5/Head',
        'stack_1/PCKh@0.5/all_joints'
    ]
    assert scores['PCKh@0.5/visible'] == 6
    assert rows_of_logged(scores) == rows
    # In any order, as after sorting.
    assert rows_of_logged(dict(sorted(scores.items(), reverse=True))) == rows


def test_joints_that_nobody_has_have_no_name():
    assert list(logged_scores(ROWS)) == [
        'PCKh@0.5', 'PCKh@0.5/Head', 'PCKh@0.5/Knee', 'PCKh@0.5/all_joints',
        'PCKh@0.5/visible', 'PCKh@0.5/visible/Knee',
        'PCKh@0.5/visible/all_joints'
    ]
    rows = rows_of_logged(logged_scores(ROWS))
    last = format_table(rows).splitlines()[-1]
    assert last.split() == ['PCKh@0.5/visible', '-', '5.00', '8.00', '7.00']
