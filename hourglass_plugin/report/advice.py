"""One line of advice for a section of a report, where its numbers give one."""
from collections.abc import Mapping, Sequence

from ..evaluation.table import short_name
from .analysis import SizeGroup

#: Points of PCK between groups that are worth a line.
_GAP = 10
#: Points that a stack should add.
_GAIN = 0.5
#: Percent of joints that lie on the other side's.
_CONFUSED = 5

Row = Mapping[str, float]


def advice(row: Row, joints: Sequence[str], by_stack: Mapping[str, Row],
           by_part: Mapping[str, Row], sizes: Sequence[SizeGroup],
           confused: float) -> dict[str, list[str]]:
    """Return the lines for each section; NaN gives none.

    Args:
        row: column -> the benchmark's score in percent; also those below.
        joints: the columns of ``row`` that are joints.
        by_stack: stack, first to last -> row; empty for a single stack.
        by_part: ``visible`` and ``occluded`` -> row; empty if unknown.
        sizes: from the smallest people on.
        confused: percent of left and right joints that were found on the
            other side's.
    """
    lines: dict[str, list[str]] = dict(scores=[], sizes=[], visible=[],
                                       sides=[])
    weakest = min(joints, key=lambda name: row[name], default='')
    if weakest and row['Mean'] - row[weakest] >= _GAP:
        lines['scores'].append(
            f'{short_name(weakest)} is the weakest, '
            f'{row["Mean"] - row[weakest]:.1f} points below the mean: look at '
            'its labels with hourglass browse.')
    if len(by_stack) > 1:
        *_, before, last = (each['Mean'] for each in by_stack.values())
        if last - before < _GAIN:
            lines['scores'].append(
                f'The last stack adds {last - before:.1f} points to the one '
                'before: fewer stacks (model.backbone.num_stacks) do as well.')
    if sizes and sizes[-1].score - sizes[0].score >= _GAP:
        lines['sizes'].append(
            f'The smallest people score {sizes[-1].score - sizes[0].score:.1f}'
            ' points less than the largest: their labels have to be the most '
            'exact, and training needs more of them.')
    if sizes and sizes[0].score - sizes[-1].score >= _GAP:
        lines['sizes'].append(
            f'The largest people score {sizes[0].score - sizes[-1].score:.1f} '
            'points less than the smallest: try a larger input_size.')
    if len(by_part) == 2:
        gap = by_part['visible']['Mean'] - by_part['occluded']['Mean']
        if gap >= _GAP:
            lines['visible'].append(
                f'Occluded joints score {gap:.1f} points less than visible '
                'ones: label hidden joints, too, where their place is clear.')
    if confused >= _CONFUSED:
        lines['sides'].append(
            f'Left and right are confused in {confused:.1f} %: check swap in '
            "the config's keypoint_info and the flipped samples of hourglass "
            'browse.')
    return lines
