"""Advice of a report: when there is a line, and when there is none."""
import pytest

from hourglass_plugin.report.advice import advice
from hourglass_plugin.report.analysis import SizeGroup

NAN = float('nan')


def sections(row=(80, 80), stacks=(), visible=NAN, occluded=NAN, sizes=(),
             confused=NAN):
    """The sections that have advice."""
    lines = advice(
        dict(Mean=row[0], Knee=row[1]), ['Knee'],
        {f'stack {number}': dict(Mean=score)
         for number, score in enumerate(stacks)},
        dict(visible=dict(Mean=visible), occluded=dict(Mean=occluded)),
        [SizeGroup(1, 2, 3, score, 4) for score in sizes],
        confused)
    assert all(len(each) < 2 for each in lines.values())
    return {section for section, each in lines.items() if each}


@pytest.mark.parametrize('numbers, expected', [
    (dict(), set()),
    (dict(row=(80, 71), stacks=(70, 75), visible=80, occluded=71,
          sizes=(71, 50, 80), confused=4.9), set()),
    (dict(row=(80, 70)), {'scores'}),
    (dict(stacks=(70, 70.4)), {'scores'}),
    (dict(stacks=(70, 60, 70)), set()),
    (dict(visible=80, occluded=70), {'visible'}),
    (dict(sizes=(70, 90, 80)), {'sizes'}),
    (dict(sizes=(80, 90, 70)), {'sizes'}),
    (dict(sizes=(80, )), set()),
    (dict(confused=5), {'sides'}),
    (dict(row=(NAN, NAN), stacks=(NAN, NAN), sizes=(NAN, NAN)), set())])
def test_sections_with_advice(numbers, expected):
    assert sections(**numbers) == expected


def test_advice_names_joint_stack_setting_and_share():
    lines = advice(dict(Mean=80, left_knee=60), ['left_knee'],
                   dict(a=dict(Mean=70), b=dict(Mean=70.2)), {},
                   [SizeGroup(1, 2, 3, score, 4)
                    for score in (85, 70)], 12.34)
    assert '20.0' in lines['scores'][0] and 'left_knee' in lines['scores'][0]
    assert '0.2' in lines['scores'][1] and 'num_stacks' in lines['scores'][1]
    assert '15.0' in lines['sizes'][0] and 'input_size' in lines['sizes'][0]
    assert '12.3 %' in lines['sides'][0] and 'swap' in lines['sides'][0]
