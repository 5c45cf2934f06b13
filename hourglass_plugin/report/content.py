"""What a report says, before it is laid out: numbers and pictures."""
from collections.abc import Sequence
from typing import NamedTuple, Optional

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

    Attributes:
        scores: the table.
        positions: (M,) the places among all people of those with a size;
            everything below is of them.
        distances: (M, K) in sizes of the person.
        errors: (M,) mean distance of each; NaN without annotated joints.
        stack_errors: (S, M) the same for each stack; of one or none, (0, M).
        thresholds: (T,) of the curves.
        joint_curves: column -> (T,) percent.
        stack_curves: name of the stack -> (T,) percent; none for one stack.
        sizes: people in groups by size.
        confusions: left and right.
        seen: how many annotated joints can be seen, and how many not; None
            if the data set does not tell.
    """

    scores: Scores
    positions: np.ndarray
    distances: np.ndarray
    errors: np.ndarray
    stack_errors: np.ndarray
    thresholds: np.ndarray
    joint_curves: dict[str, np.ndarray]
    stack_curves: dict[str, np.ndarray]
    sizes: list[SizeGroup]
    confusions: Confusions
    seen: Optional[tuple[int, int]]


class Person(NamedTuple):
    """One person of the report.

    Attributes:
        number: position in the data set, from 0.
        image: the photograph's name.
        path: the photograph.
        error: mean distance in sizes of the person.
        correct: how many annotated joints are correct.
        joints: how many are annotated.
        worst_joint: the furthest of them.
        worst_distance: its distance in sizes of the person.
        picture: prediction and truth, (H, W, 3) uint8, BGR.
    """

    number: int
    image: str
    path: str
    error: float
    correct: int
    joints: int
    worst_joint: str
    worst_distance: float
    picture: np.ndarray


class PersonHeatmaps(NamedTuple):
    """One person's heatmaps.

    Attributes:
        why: what makes the person worth a look.
        number: position in the data set, from 0.
        image: the photograph's name.
        errors: mean distance after each stack, or the only one, in sizes of
            the person.
        crop: prediction over the crop, (H, W, 3) uint8, BGR.
        joints: names of the joints that are shown alone.
        stacks: for each stack a picture of all joints' heatmaps and one for
            each of ``joints``, (H, W, 3) uint8, BGR.
    """

    why: str
    number: int
    image: str
    errors: list[float]
    crop: np.ndarray
    joints: list[str]
    stacks: list[tuple[np.ndarray, list[np.ndarray]]]


class Report(NamedTuple):
    """Everything on the page.

    Attributes:
        facts: what was tested, name -> value.
        joints: names of the K joints.
        numbers: the numbers.
        people: ``best``, ``median`` and ``worst`` -> people.
        heatmaps: of a few people; none if the model has none.
    """

    facts: dict[str, str]
    joints: Sequence[str]
    numbers: Numbers
    people: dict[str, list[Person]]
    heatmaps: list[PersonHeatmaps]


def count_numbers(everybody: People, scores: Scores,
                  pck_thresholds: Sequence[float],
                  flip_indices: Sequence[int]) -> Numbers:
    """The numbers of a report.

    Args:
        everybody: all N people.
        scores: of them, see
            :func:`~hourglass_plugin.evaluation.scores.score_people`.
        pck_thresholds: of the table, in sizes of the person; the curves reach
            up to the largest.
        flip_indices: for each joint the position of its mirror image.
    """
    positions = np.flatnonzero(~np.isnan(everybody.sizes))
    people = everybody.chosen(positions)
    predicted, truth, annotated, sizes, visible, stacks = people
    columns = scores.columns
    threshold = pck_thresholds[0]
    distances = normalized_distances(predicted, truth, sizes)
    thresholds = curve_thresholds(max(pck_thresholds))
    joint_curves = column_curves(distances, annotated, columns,
                                 thresholds.tolist())
    joint_curves = {
        column: joint_curves[column]
        for column in [*columns.joints, 'Mean']
        if not np.isnan(joint_curves[column]).any()
    }
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
        scores=scores,
        positions=positions,
        distances=distances,
        errors=mean_errors(distances, annotated),
        stack_errors=np.reshape(stack_errors,
                                (len(stack_errors), len(sizes))),
        thresholds=thresholds,
        joint_curves=joint_curves,
        stack_curves=stack_curves,
        sizes=errors_by_size(predicted, truth, annotated, sizes, columns.mean,
                             threshold, _NUM_SIZES),
        confusions=left_right_confusions(predicted, truth, annotated, sizes,
                                         flip_indices, threshold),
        seen=seen)
