"""From predictions and truth to a table of scores: arrays in, scores out.

Shape shorthand: N people, K keypoints, S stacks.
"""
import re
from collections.abc import Sequence
from typing import NamedTuple, Optional

import numpy as np

from ..skeletons import SKELETONS, Skeleton
from .metric_name import MetricName
from .pck import (
    area_under_curve,
    curve_thresholds,
    mean_pck,
    normalized_distances,
    pck_curve,
)
from .table import Row, format_table, logged_scores

#: Every joint of the skeleton, those included that the mean leaves out.
ALL_JOINTS = 'all_joints'
#: The joints of the paper's ablation (Newell et al., section 4.3).
ABLATION = 'ankle_knee_elbow_wrist'


class Normalizer(NamedTuple):
    """One way to measure distances.

    Attributes:
        title: how it is called, e.g. ``PCKh``.
        area: how the area under its curve is called.
        unit: what distances are divided by.
        units: a short name for several of it.
        thresholds: the default ones; the first is the benchmark's.
    """

    title: str
    area: str
    unit: str
    units: str
    thresholds: tuple[float, ...]


PCKH = Normalizer('PCKh', 'AUC',
               'the head size (0.6 x the diagonal of the head box)',
               'head sizes', (0.5, 0.2, 0.1))
TORSO_PCK = Normalizer('PCK', 'AUC',
                    'the torso size (from right shoulder to left hip)',
                    'torso sizes', (0.2, 0.1, 0.5))
BOX_PCK = Normalizer('BoxPCK', 'BoxPCK_AUC',
                  'the larger side of the bounding box', 'sides of the box',
                  (0.2, 0.1, 0.05))


class Columns(NamedTuple):
    """The columns of a table.

    Attributes:
        data_set: name of the data set.
        joints: column -> positions of its joints. A column's score is the
            mean of its joints', left and right counting alike.
        mean: positions of the joints that count in the benchmark's mean.
        means: column -> positions of the joints of further means, which like
            the benchmark's are weighted by how often a joint is annotated.
        mean_excludes: names of the joints that the benchmark's mean leaves
            out.
    """

    data_set: str
    joints: dict[str, list[int]]
    mean: list[int]
    means: dict[str, list[int]]
    mean_excludes: tuple[str, ...] = ()


def skeleton_columns(skeleton: Skeleton) -> Columns:
    """The columns of a benchmark's table."""
    means = {ALL_JOINTS: list(range(skeleton.num_keypoints))}
    ablation = [
        f'{side}_{joint}' for joint in ABLATION.split('_')
        for side in ('left', 'right')
    ]
    if set(ablation) <= set(skeleton.joints):
        means[ABLATION] = skeleton.indices(ablation)
    return Columns(
        skeleton.name, {
            column: skeleton.indices(joints)
            for column, joints in skeleton.evaluated.items()
        }, skeleton.mean_indices, means, skeleton.mean_excludes)


def metainfo_columns(metainfo: dict) -> Columns:
    """The columns for any data set: one per pair, or per single keypoint.

    Args:
        metainfo: MMPose's parsed metainfo (``dataset.metainfo``).

    Returns:
        Those of the benchmark where the data set is one of ours, else one
        column for each keypoint and its mirror image. A pair is called what
        its two names have in common: ``left_ear`` and ``right_ear`` are
        ``ear``.
    """
    count = len(metainfo['keypoint_id2name'])
    names = [metainfo['keypoint_id2name'][index] for index in range(count)]
    known = SKELETONS.get(metainfo['dataset_name'])
    if known is not None and known.joints == tuple(names):
        return skeleton_columns(known)
    columns: dict[str, list[int]] = {}
    for index, mirrored in enumerate(metainfo['flip_indices']):
        if mirrored == index:
            columns[_column_name(names[index])] = [index]
        elif index < mirrored:
            pair = pair_name(names[index], names[mirrored])
            columns[pair] = [index, mirrored]
    joints = list(range(count))
    return Columns(
        _column_name(metainfo['dataset_name']), columns, joints,
        {ALL_JOINTS: joints})


def pair_name(first: str, second: str) -> str:
    """``ear`` for ``left_ear`` and ``right_ear``."""
    bare = {
        re.sub(r'[\s_-]*(left|right)[\s_-]*', '', name, flags=re.IGNORECASE)
        for name in (first, second)
    }
    both = bare.pop() if len(bare) == 1 else ''
    return _column_name(both or f'{first}+{second}')


def _column_name(name: str) -> str:
    """A name that can be part of a logged one."""
    return re.sub(r'[\s/]+', '_', name)


class People(NamedTuple):
    """Predictions and truth of N people, as :func:`score_people` takes them.

    Attributes:
        predicted: (N, K, 2) in image pixels.
        truth: (N, K, 2) in the same pixels.
        annotated: (N, K) bool.
        sizes: (N,) in pixels; NaN leaves a person out.
        visible: (N, K) bool; None if it is not known of everybody.
        stacks: (N, S, K, 2) in image pixels; None if it is not known.
    """

    predicted: np.ndarray
    truth: np.ndarray
    annotated: np.ndarray
    sizes: np.ndarray
    visible: Optional[np.ndarray] = None
    stacks: Optional[np.ndarray] = None

    def chosen(self, which: np.ndarray) -> 'People':
        """Some of the people; ``which`` is (N,) bool or positions."""
        return self._replace(
            **{
                name: values[which]
                for name, values in self._asdict().items()
                if values is not None
            })


class Scores(NamedTuple):
    """What :func:`score_people` finds; everything in percent.

    Attributes:
        columns: the table's columns.
        measure: how distances were measured.
        rows: name of the row, without a dataset -> column -> score. The
            first row is the benchmark's, its column ``Mean`` the benchmark's
            figure.
        thresholds: (T,) of the curve, from 0 to the benchmark's.
        mean_curve: (T,) the mean at these thresholds.
        num_people: how many were scored.
        num_left_out: how many others have no size.
        num_joints: how many annotated joints were scored.
        num_not_finite: how many of them were predicted at no finite place,
            which is wrong.
    """

    columns: Columns
    measure: Normalizer
    rows: dict[MetricName, Row]
    thresholds: np.ndarray
    mean_curve: np.ndarray
    num_people: int
    num_left_out: int
    num_joints: int
    num_not_finite: int

    @property
    def benchmark(self) -> MetricName:
        """Name of the benchmark's row, e.g. ``PCKh@0.5``."""
        return next(iter(self.rows))

    def logged(self) -> dict[str, float]:
        """The scores by the names under which they are logged."""
        return logged_scores(self.rows)

    def summary(self) -> Row:
        """The benchmark's row, and the mean of the curve's other rows."""
        others = {
            str(name): row['Mean']
            for name, row in self.rows.items()
            if name.is_overall and name != self.benchmark
        }
        return {**self.printed(self.rows[self.benchmark]), **others}

    def printed(self, row: Row) -> Row:
        """A row without the second mean where the first is of all joints."""
        return {
            column: score
            for column, score in row.items()
            if column != ALL_JOINTS or self.columns.mean_excludes
        }

    def text(self, heading: str = '', explained: bool = True) -> str:
        """The table for people to read.

        Args:
            heading: first words of the first line; default: the data set.
            explained: whether lines that explain rows and columns follow.
        """
        heading = (
            f'{heading or self.columns.data_set}: percent of correct '
            f'joints of {self.num_people:,} people, {self.num_joints:,} '
            'annotated joints')
        if self.num_left_out:
            heading += (f'; {self.num_left_out:,} people without a size left '
                        'out')
        if self.num_not_finite:
            heading += (f'; {self.num_not_finite:,} predictions that are not '
                        'finite count as wrong')
        table = format_table({
            name: self.printed(row)
            for name, row in self.rows.items()
        })
        lines = self.explanations() if explained else []
        return '\n'.join([heading, table, *lines])

    def explanations(self) -> list[str]:
        """What rows and columns mean, a line each."""
        title, area, unit, *_ = self.measure
        excluded = ' and '.join(self.columns.mean_excludes)
        lines = [
            f'{title}@t: a joint is correct within t times {unit}.',
            f'{area}: area under the curve of {title}@t for t from 0 to '
            f'{self.thresholds[-1]:g}.',
            'Each joint\'s column: mean of left and right.',
            'Mean: every annotated joint counts once' +
            (f', without {excluded}; All: with them.' if excluded else '.')
        ]
        if ABLATION in self.columns.means:
            lines.append('AKEW: ankles, knees, elbows and wrists.')
        if any('/' in name.metric for name in self.rows):
            lines.append('visible, occluded: of the annotated joints, those '
                         'that can or cannot be seen.')
        if any(name.stack is not None for name in self.rows):
            lines.append('stack_n: what the n-th stack predicts.')
        return lines


def score_people(predicted: np.ndarray,
                 truth: np.ndarray,
                 annotated: np.ndarray,
                 sizes: np.ndarray,
                 columns: Columns,
                 measure: Normalizer,
                 thresholds: Optional[Sequence[float]] = None,
                 visible: Optional[np.ndarray] = None,
                 stacks: Optional[np.ndarray] = None) -> Scores:
    """Score predictions.

    Nothing depends on the order of the people: all that is summed up are
    counts.

    Args:
        predicted: (N, K, 2) in image pixels; what is not finite is wrong.
        truth: (N, K, 2) in the same pixels.
        annotated: (N, K) bool; only these count.
        sizes: (N,) of the people in pixels; NaN leaves a person out.
        columns: of the table.
        measure: how sizes are called.
        thresholds: in sizes of the person, the benchmark's first; default:
            the measure's.
        visible: (N, K) bool, which annotated joints can be seen; gives rows of
            visible and of occluded joints.
        stacks: (N, S, K, 2) what each stack predicts; several give a row
            each.

    Returns:
        Scores with the rows ``<title>@<threshold>``, the area under the curve,
        ``<title>@<benchmark's>/visible`` and ``.../occluded`` (where there are
        such joints in the mean), ``stack_1/<title>@<benchmark's>`` and so on.

    Raises:
        ValueError: if shapes do not fit, a size is not positive or there is
            nobody.
    """
    thresholds = thresholds or measure.thresholds
    if len(sizes) == 0:
        raise ValueError(f'there is nobody to score in {columns.data_set}')
    measured = ~np.isnan(sizes)
    predicted, truth, sizes = (
        values[measured] for values in (predicted, truth, sizes))
    annotated = np.asarray(annotated, bool)[measured]
    distances = normalized_distances(predicted, truth, sizes)

    def row(threshold: float,
            counted: np.ndarray = annotated,
            distances: np.ndarray = distances) -> Row:
        return _row(
            pck_curve(distances, counted, [threshold])[0], counted, columns)

    rows = {
        MetricName('', None, f'{measure.title}@{threshold:g}'): row(threshold)
        for threshold in thresholds
    }
    benchmark = next(iter(rows)).metric
    curve_at = curve_thresholds(thresholds[0])
    curve = pck_curve(distances, annotated, curve_at)  # (T, K)
    rows[MetricName('', None, measure.area)] = _row(area_under_curve(curve), annotated, columns)
    if visible is not None:
        visible = np.asarray(visible, bool)[measured]
        for name, counted in (('visible', annotated & visible),
                              ('occluded', annotated & ~visible)):
            if counted[:, columns.mean].any():
                rows[MetricName('', None, f'{benchmark}/{name}')] = row(
                    thresholds[0], counted)
    # The only stack is the first row already.
    if stacks is not None and stacks.shape[1] > 1:
        for index in range(stacks.shape[1]):
            rows[MetricName('', index + 1, benchmark)] = row(
                thresholds[0],
                distances=normalized_distances(stacks[measured, index], truth,
                                               sizes))
    return Scores(
        columns=columns,
        measure=measure,
        rows=rows,
        thresholds=curve_at,
        mean_curve=np.array(
            [mean_pck(scores, annotated, columns.mean) for scores in curve]),
        num_people=len(sizes),
        num_left_out=int((~measured).sum()),
        num_joints=int(annotated.sum()),
        num_not_finite=int((~np.isfinite(distances) & annotated).sum()))


def _row(scores: np.ndarray, counted: np.ndarray, columns: Columns) -> Row:
    """The columns of (K,) scores of the joints ``counted`` (N, K)."""
    row = {}
    for column, joints in columns.joints.items():
        known = scores[joints][~np.isnan(scores[joints])]
        row[column] = float(known.mean()) if known.size else float('nan')
    row['Mean'] = mean_pck(scores, counted, columns.mean)
    for column, joints in columns.means.items():
        row[column] = mean_pck(scores, counted, joints)
    return row


def column_curves(distances: np.ndarray, annotated: np.ndarray,
                  columns: Columns,
                  thresholds: Sequence[float]) -> dict[str, np.ndarray]:
    """The table's columns at several thresholds.

    Args:
        distances: (N, K) in sizes of the person.
        annotated: (N, K) bool; only these count.
        columns: of the table.
        thresholds: T of them.

    Returns:
        Column -> (T,) percent; NaN where no joint is annotated.
    """
    rows = [
        _row(shares, annotated, columns)
        for shares in pck_curve(distances, annotated, thresholds)
    ]
    return {column: np.array([row[column] for row in rows])
            for column in rows[0]}
