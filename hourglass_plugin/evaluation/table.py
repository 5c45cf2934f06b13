"""Tables of scores: their columns, their text, and their logged names."""
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import NamedTuple

from ..skeletons import SKELETONS, Skeleton
from .metric_name import MetricName

#: The percentages of one row, by column.
Row = dict[str, float]

#: Every joint of the skeleton, including those that the mean leaves out.
ALL_JOINTS = 'all_joints'
#: The joints of the paper's ablation (Newell et al., section 4.3).
ABLATION = 'ankle_knee_elbow_wrist'

#: Columns whose names are too long to be printed.
_SHORT_NAMES = {ALL_JOINTS: 'All', ABLATION: 'AKEW'}


class TableColumns(NamedTuple):
    """The columns of a table, with indices of joints.

    A column's score is the mean of its joints' scores, with equal weight for
    left and right. Means are weighted by how often a joint is annotated.
    """

    dataset: str  #: name of the dataset
    joints: dict[str, list[int]]  #: column -> its joints
    mean: list[int]  #: joints that count in the benchmark's mean
    means: dict[str, list[int]]  #: column -> joints of further means
    #: names of the joints that the benchmark's mean leaves out
    mean_excludes: tuple[str, ...] = ()


def skeleton_columns(skeleton: Skeleton) -> TableColumns:
    """Return the columns of a benchmark's table."""
    means = {ALL_JOINTS: list(range(skeleton.num_keypoints))}
    ablation = [
        f'{side}_{joint}' for joint in ABLATION.split('_')
        for side in ('left', 'right')]
    if set(ablation) <= set(skeleton.joints):
        means[ABLATION] = skeleton.indices(ablation)
    columns = {column: skeleton.indices(joints)
               for column, joints in skeleton.evaluated.items()}
    return TableColumns(skeleton.name, columns, skeleton.mean_indices, means,
                        skeleton.mean_excludes)


def metainfo_columns(metainfo: dict) -> TableColumns:
    """Return columns for MMPose's parsed metainfo (``dataset.metainfo``).

    The benchmark's for MPII, FLIC and LSP; otherwise one per keypoint or pair:
    ``left_ear`` and ``right_ear`` are the column ``ear``.
    """
    count = len(metainfo['keypoint_id2name'])
    names = [metainfo['keypoint_id2name'][index] for index in range(count)]
    known = SKELETONS.get(metainfo['dataset_name'])
    if known is not None and known.joints == tuple(names):
        return skeleton_columns(known)
    columns: dict[str, list[int]] = {}
    for index, flipped in enumerate(metainfo['flip_indices']):
        if flipped == index:
            columns[_column_name(names[index])] = [index]
        elif index < flipped:
            pair = pair_name(names[index], names[flipped])
            columns[pair] = [index, flipped]
    joints = list(range(count))
    return TableColumns(
        _column_name(metainfo['dataset_name']), columns, joints,
        {ALL_JOINTS: joints})


def pair_name(first: str, second: str) -> str:
    """Return ``ear`` for ``left_ear`` and ``right_ear``."""
    bare = {
        re.sub(r'[\s_-]*(left|right)[\s_-]*', '', name, flags=re.IGNORECASE)
        for name in (first, second)}
    both = bare.pop() if len(bare) == 1 else ''
    return _column_name(both or f'{first}+{second}')


def _column_name(name: str) -> str:
    """Return a name that can be part of a logged one."""
    return re.sub(r'[\s/]+', '_', name)


def short_name(column: str) -> str:
    """Return a column's name as it is printed."""
    return _SHORT_NAMES.get(column, column)


def format_table(rows: Mapping[MetricName, Row] | Mapping[str, Row]) -> str:
    """Format the first row's columns, right-aligned, with two decimals.

    Missing cells and NaN are printed as a dash.
    """
    labels = [str(name) for name in rows]
    columns = list(next(iter(rows.values())))
    names = [short_name(column) for column in columns]
    widths = [max(len(name), 6) + 2 for name in names]
    label_width = max(map(len, labels))
    lines = [' ' * label_width + ''.join(
        f'{name:>{width}}' for name, width in zip(names, widths))]
    for label, row in zip(labels, rows.values()):
        cells = [f'{row[column]:.2f}' if row.get(column, nan) >= 0 else '-'
                 for column in columns]
        lines.append(f'{label:{label_width}}' +
                     ''.join(f'{cell:>{width}}'
                             for cell, width in zip(cells, widths)))
    return '\n'.join(lines)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Format cells as a table in Markdown; the first row is the header."""
    header, *others = rows
    return '\n'.join(f'| {" | ".join(cells)} |' for cells in (
        header, ['---'] * len(header), *others))


def logged_scores(rows: Mapping[MetricName, Row]) -> dict[str, float]:
    """Return a table's scores by the names under which they are logged.

    NaN columns, of joints without annotation, are left out.
    """
    scores = {}
    for name, row in rows.items():
        scores[str(name)] = row['Mean']
        scores.update({
            str(replace(name, joint=column)): score
            for column, score in row.items() if column != 'Mean' and score >= 0
        })
    return scores


def rows_of_logged(scores: Mapping[str, float]) -> dict[MetricName, Row]:
    """Invert :func:`logged_scores`; the means come last.

    Scores of other metrics, such as ``coco/AP``, are rows of a mean only.
    """
    parsed = {MetricName.parse(name): score for name, score in scores.items()}
    rows: dict[MetricName, Row] = {
        name: {}
        for name in parsed if name.joint is None or name.mean not in parsed}
    for name, score in parsed.items():
        if name not in rows:
            rows[name.mean][str(name.joint)] = score
    for name, row in rows.items():
        row['Mean'] = parsed[name]
    return rows
