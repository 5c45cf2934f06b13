"""Compute a table of scores from predictions and ground truth.

Shape shorthand: N people, K keypoints, S stacks, T thresholds.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .metric_name import MetricName
from .pck import (
    area_under_curve,
    curve_thresholds,
    mean_pck,
    normalized_distances,
    pck,
    pck_curve,
)
from .table import ABLATION, ALL_JOINTS, Row, TableColumns, format_table


class Normalizer(NamedTuple):
    """The length by which distances are divided."""

    title: str  #: name of the measure, e.g. ``PCKh``
    area: str  #: name of the area under its curve
    unit: str  #: description of the length
    units: str  #: short plural of it
    thresholds: tuple[float, ...]  #: the first is the benchmark's


PCKH = Normalizer('PCKh', 'AUC',
                  'the head size (0.6 x the diagonal of the head box)',
                  'head sizes', (0.5, 0.2, 0.1))
TORSO_PCK = Normalizer('PCK', 'AUC',
                       'the torso size (from right shoulder to left hip)',
                       'torso sizes', (0.2, 0.1, 0.5))
BOX_PCK = Normalizer('BoxPCK', 'BoxPCK_AUC',
                     'the larger side of the bounding box',
                     'sides of the box', (0.2, 0.1, 0.05))


class People(NamedTuple):
    """Predictions and ground truth of N people.

    The last two are None if unknown for any of the people.
    """

    predicted: np.ndarray  #: (N, K, 2) in image pixels; NaN and Inf are wrong
    truth: np.ndarray  #: (N, K, 2) in the same pixels
    annotated: np.ndarray  #: (N, K) bool; only these count
    sizes: np.ndarray  #: (N,) in pixels; NaN leaves a person out
    visible: np.ndarray | None = None  #: (N, K) bool, not occluded
    stacks: np.ndarray | None = None  #: (N, S, K, 2) of each stack

    def chosen(self, index: np.ndarray) -> 'People':
        """Return some of the people; ``index`` is (N,) bool or indices."""
        return self._replace(**{
            name: np.asarray(values)[index]
            for name, values in self._asdict().items() if values is not None})


class Scores(NamedTuple):
    """A table of scores in percent, and the counts behind it.

    The first row is the benchmark's, its column ``Mean`` the benchmark's
    figure.
    """

    columns: TableColumns
    normalizer: Normalizer
    rows: dict[MetricName, Row]  #: names are without a dataset
    thresholds: np.ndarray  #: (T,) of the curve, from 0 to the benchmark's
    mean_curve: np.ndarray  #: (T,) the mean at these thresholds
    num_people: int  #: scored
    num_left_out: int  #: people without a size
    num_joints: int  #: scored (annotated)
    num_not_finite: int  #: of these, with a NaN or Inf prediction

    @property
    def benchmark(self) -> MetricName:
        """Name of the benchmark's row, e.g. ``PCKh@0.5``."""
        return next(iter(self.rows))

    def printed(self, row: Row) -> Row:
        """Drop the mean of all joints where the first mean is the same."""
        return {column: score for column, score in row.items()
                if column != ALL_JOINTS or self.columns.mean_excludes}

    def text(self, heading: str = '', explained: bool = True) -> str:
        """Return the printed table, with a heading and explanations."""
        heading = (
            f'{heading or self.columns.dataset}: percent of correct '
            f'joints of {self.num_people:,} people, {self.num_joints:,} '
            'annotated joints')
        for count, what in (
            (self.num_left_out, 'people without a size left out'),
            (self.num_not_finite,
             'predictions that are not finite count as wrong')):
            heading += f'; {count:,} {what}' if count else ''
        table = format_table({
            name: self.printed(row) for name, row in self.rows.items()})
        lines = self.explanations() if explained else []
        return '\n'.join([heading, table, *lines])

    def explanations(self) -> list[str]:
        """Explain rows and columns, a line each."""
        title, area, unit, *_ = self.normalizer
        excluded = ' and '.join(self.columns.mean_excludes)
        lines = [
            f'{title}@t: a joint is correct within t times {unit}.',
            f'{area}: area under the curve of {title}@t for t from 0 to '
            f'{self.thresholds[-1]:g}.',
            'Each joint\'s column: mean of left and right.',
            'Mean: every annotated joint counts once' +
            (f', without {excluded}; All: with them.' if excluded else '.')]
        if ABLATION in self.columns.means:
            lines.append('AKEW: ankles, knees, elbows and wrists.')
        if any('/' in name.metric for name in self.rows):
            lines.append('visible, occluded: of the annotated joints, those '
                         'that can or cannot be seen.')
        if any(name.stack is not None for name in self.rows):
            lines.append('stack_n: what the n-th stack predicts.')
        return lines


def score_people(people: People,
                 columns: TableColumns,
                 normalizer: Normalizer,
                 thresholds: Sequence[float] = ()) -> Scores:
    """Score predictions; only counts are summed, so order does not matter.

    Args:
        people: predictions and ground truth.
        columns: of the table.
        normalizer: the length in ``people.sizes``.
        thresholds: the benchmark's first; default: the normalizer's.

    Returns:
        A row for each threshold and the area under the curve; at the
        benchmark's threshold also for visible and for occluded joints (if any
        are in the mean), and for each of several stacks.

    Raises:
        ValueError: if shapes do not fit, a size is not positive or there are
            no people.
    """
    thresholds = thresholds or normalizer.thresholds
    if len(people.sizes) == 0:
        raise ValueError(f'no person to score in {columns.dataset}: '
                         'the test set is empty')
    measured = ~np.isnan(people.sizes)
    predicted, truth, annotated, sizes, visible, stacks = people.chosen(
        measured)
    annotated = np.asarray(annotated, bool)
    distances = normalized_distances(predicted, truth, sizes)

    def row(counted: np.ndarray, distances: np.ndarray,
            threshold: float = thresholds[0]) -> Row:
        return _row(pck(distances, counted, threshold), counted, columns)

    rows = {
        MetricName('', None, f'{normalizer.title}@{threshold:g}'):
        row(annotated, distances, threshold)
        for threshold in thresholds}
    benchmark = next(iter(rows)).metric
    curve_at = curve_thresholds(thresholds[0])
    curve = pck_curve(distances, annotated, curve_at)  # (T, K)
    rows[MetricName('', None, normalizer.area)] = _row(
        area_under_curve(curve), annotated, columns)
    if visible is not None:
        for name, is_visible in (('visible', True), ('occluded', False)):
            counted = annotated & (np.asarray(visible, bool) == is_visible)
            if counted[:, columns.mean].any():
                rows[MetricName('', None, f'{benchmark}/{name}')] = row(
                    counted, distances)
    # A single stack is the first row already.
    if stacks is not None and stacks.shape[1] > 1:
        for index in range(stacks.shape[1]):
            rows[MetricName('', index + 1, benchmark)] = row(
                annotated, normalized_distances(stacks[:, index], truth,
                                                sizes))
    return Scores(
        columns, normalizer, rows, curve_at,
        mean_curve=np.array(
            [mean_pck(scores, annotated, columns.mean) for scores in curve]),
        num_people=len(sizes), num_left_out=int((~measured).sum()),
        num_joints=int(annotated.sum()),
        num_not_finite=int((~np.isfinite(distances) & annotated).sum()))


def _row(scores: np.ndarray, counted: np.ndarray,
         columns: TableColumns) -> Row:
    """Return the columns for (K,) scores of the joints ``counted`` (N, K)."""
    row = {}
    for column, joints in columns.joints.items():
        known = scores[joints][~np.isnan(scores[joints])]
        row[column] = float(known.mean()) if known.size else float('nan')
    row['Mean'] = mean_pck(scores, counted, columns.mean)
    for column, joints in columns.means.items():
        row[column] = mean_pck(scores, counted, joints)
    return row


def column_curves(distances: np.ndarray, annotated: np.ndarray,
                  columns: TableColumns,
                  thresholds: Sequence[float]) -> dict[str, np.ndarray]:
    """Return the table's columns at T thresholds.

    Arguments are those of :func:`~.pck.pck_curve`, and the columns.

    Returns:
        Column -> (T,) percent; NaN where no joint is annotated.
    """
    rows = [_row(shares, annotated, columns)
            for shares in pck_curve(distances, annotated, thresholds)]
    return {column: np.array([row[column] for row in rows])
            for column in rows[0]}
