"""Names of logged scores."""
import pytest

from hourglass_plugin.evaluation.metric_name import MetricName


@pytest.mark.parametrize(
    'text, name, is_overall',
    [('mpii/PCKh@0.5', MetricName('mpii', None, 'PCKh@0.5'), True),
     ('lsp/AUC', MetricName('lsp', None, 'AUC'), True),
     ('lsp/PCK@0.2/Head', MetricName('lsp', None, 'PCK@0.2', 'Head'), False),
     ('lsp/stack_12/PCK@0.2', MetricName('lsp', 12, 'PCK@0.2'), False),
     ('lsp/stack_1/PCK@0.2/Upper arm',
      MetricName('lsp', 1, 'PCK@0.2', 'Upper arm'), False),
     ('mpii/PCKh@0.5/visible', MetricName('mpii', None, 'PCKh@0.5/visible'),
      False),
     ('mpii/PCKh@0.5/occluded/Knee',
      MetricName('mpii', None, 'PCKh@0.5/occluded', 'Knee'), False),
     ('coco/AP', MetricName('coco', None, 'AP'), True),
     ('coco/stack_1', MetricName('coco', None, 'stack_1'), True),
     ('time', MetricName('', None, 'time'), True)])
def test_parse_and_str_are_inverse(text, name, is_overall):
    assert MetricName.parse(text) == name
    assert str(name) == text
    assert name.is_overall == is_overall


def test_rows_of_a_table_have_no_dataset():
    assert str(MetricName('', 2, 'PCK@0.2')) == 'stack_2/PCK@0.2'


def test_mean_of_a_joint():
    assert MetricName.parse('lsp/stack_1/PCK@0.2/Head').mean == MetricName(
        'lsp', 1, 'PCK@0.2')
