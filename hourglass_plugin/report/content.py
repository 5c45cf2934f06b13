"""The numbers of a report."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..evaluation.pck import curve_thresholds, normalized_distances
from ..evaluation.scores import People, Scores, column_curves
from .analysis import (
    Confusions,
    SizeGroup,
    errors_by_size,
    left_right_confusions,
    mean_errors,
)

_NUM_SIZES = 5


class Numbers(NamedTuple):
    """The numbers of a report, of M scored people and S stacks.

    ``stack_errors`` and ``stack_curves`` are empty for a single stack.
    """

    scores: Scores  #: the table
    positions: np.ndarray  #: (M,) indices of the scored among all people
    distances: np.ndarray  #: (M, K) in sizes of the person
    errors: np.ndarray  #: (M,) mean distance; NaN without annotated joints
    stack_errors: np.ndarray  #: (S, M) the same for each stack
    thresholds: np.ndarray  #: (T,) of the curves
    joint_curves: dict[str, np.ndarray]  #: column -> (T,) percent
    stack_curves: dict[str, np.ndarray]  #: name of the stack -> (T,) percent
    sizes: list[SizeGroup]  #: from the smallest people on
    confusions: Confusions  #: of left and right
    seen: tuple[int, int] | None  #: number of visible, of occluded joints


def count_numbers(all_people: People, scores: Scores,
                  pck_thresholds: Sequence[float],
                  flip_indices: Sequence[int]) -> Numbers:
    """Compute the numbers of a report.

    Args:
        all_people: all N people.
        scores: of all N people.
        pck_thresholds: of the table, in sizes of the person.
        flip_indices: index of each joint's other side.
    """
    positions = np.flatnonzero(~np.isnan(all_people.sizes))
    people = all_people.chosen(positions)
    predicted, truth, annotated, sizes, visible, stacks = people
    columns = scores.columns
    threshold = pck_thresholds[0]
    distances = normalized_distances(predicted, truth, sizes)
    thresholds = curve_thresholds(max(pck_thresholds))
    curves = column_curves(distances, annotated, columns, thresholds.tolist())
    joint_curves = {column: curves[column]
                    for column in [*columns.joints, 'Mean']
                    if not np.isnan(curves[column]).any()}
    stack_curves, stack_errors = {}, []
    if stacks is not None and stacks.shape[1] > 1:
        for number in range(stacks.shape[1]):
            of_stack = normalized_distances(stacks[:, number], truth, sizes)
            stack_errors.append(mean_errors(of_stack, annotated))
            stack_curves[f'stack {number + 1}'] = column_curves(
                of_stack, annotated, columns, thresholds.tolist())['Mean']
    seen = None
    if visible is not None:
        seen = (int((annotated & visible).sum()),
                int((annotated & ~visible).sum()))
    return Numbers(
        scores=scores, positions=positions, distances=distances,
        errors=mean_errors(distances, annotated),
        stack_errors=np.reshape(stack_errors,
                                (len(stack_errors), len(sizes))),
        thresholds=thresholds, joint_curves=joint_curves,
        stack_curves=stack_curves,
        sizes=errors_by_size(distances, annotated, sizes, columns.mean,
                             threshold, _NUM_SIZES),
        confusions=left_right_confusions(predicted, truth, annotated, sizes,
                                         flip_indices, threshold),
        seen=seen)
