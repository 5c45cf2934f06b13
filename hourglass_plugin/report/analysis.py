"""Error analysis: ranking of people, errors by size, left-right confusions.

Shape shorthand: N people, K keypoints.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..evaluation.pck import mean_pck, normalized_distances, pck


def mean_errors(distances: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Return each person's mean distance (N,) over the annotated joints.

    Of ``distances`` (N, K) NaN counts as infinite. NaN if none is
    ``annotated`` (N, K).
    """
    annotated = np.asarray(annotated, bool)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    counts = annotated.sum(axis=1)
    total = np.where(annotated, distances, 0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def best_median_worst(errors: np.ndarray,
                      count: int) -> dict[str, list[int]]:
    """Choose people to show.

    Args:
        errors: (N,) of the people; NaN leaves one out.
        count: how many of each kind; fewer if there are not three times as
            many people.

    Returns:
        ``best``, ``median`` and ``worst`` -> indices, all different: the best
        first, the median by error, the worst first. Equal errors are ranked
        by index.
    """
    order = np.argsort(errors, kind='stable').tolist()
    order = [index for index in order if not np.isnan(errors[index])]
    count = min(count, max(len(order) // 3, 1))
    best, rest = order[:count], order[count:]
    worst = rest[::-1][:count]
    rest = rest[:len(rest) - len(worst)]
    start = max(len(rest) - count, 0) // 2
    return dict(best=best, median=rest[start:start + count], worst=worst)


class SizeGroup(NamedTuple):
    """People of about one size."""

    smallest: float  #: size in pixels
    largest: float  #: size in pixels
    people: int  #: their number
    score: float  #: correct joints in percent
    median: float  #: distance in pixels; NaN without joints


def errors_by_size(distances: np.ndarray, annotated: np.ndarray,
                   sizes: np.ndarray, joints: Sequence[int], threshold: float,
                   num_groups: int) -> list[SizeGroup]:
    """Compute the errors of small and of large people.

    Quantiles of the sizes divide the people; people of one size stay in one
    group.

    Args:
        distances: (N, K) in sizes of the person; NaN counts as infinite.
        annotated: (N, K) bool.
        sizes: (N,) of the people in pixels, positive.
        joints: indices of the joints that count.
        threshold: in sizes of the person.
        num_groups: at most.

    Returns:
        The groups that are not empty, from the smallest people on.
    """
    edges = np.quantile(sizes, np.linspace(0, 1, num_groups + 1)[1:-1]) if (
        len(sizes)) else []
    pixels = np.nan_to_num(distances, nan=np.inf) * sizes[:, None]
    numbers = np.searchsorted(edges, sizes, side='right')
    groups = []
    for inside in (numbers == number for number in np.unique(numbers)):
        counted = annotated[inside]
        found = pixels[inside][:, joints][counted[:, joints]]
        score = mean_pck(pck(distances[inside], counted, threshold), counted,
                         joints)
        groups.append(SizeGroup(
            float(sizes[inside].min()), float(sizes[inside].max()),
            int(inside.sum()), score,
            float(np.median(found)) if found.size else float('nan')))
    return groups


class Confusions(NamedTuple):
    """Left-right confusions.

    ``pairs`` has, for the indices of a left joint and its right one, the
    number of examined predictions; of these, nearer to the other side's
    ground truth; and of these, within the threshold of it.
    """

    pairs: dict[tuple[int, int], tuple[int, ...]]
    people: int  #: number of people with examined joints
    flipped: int  #: of these, with more than half of the joints confused


def left_right_confusions(predicted: np.ndarray, truth: np.ndarray,
                          annotated: np.ndarray, sizes: np.ndarray,
                          flip_indices: Sequence[int],
                          threshold: float) -> Confusions:
    """Count joints that are predicted at the other side's joint.

    Joints are examined if both sides are annotated. A joint is confused if
    its prediction is nearer to the ground truth of the other side than to its
    own. Half of all random predictions are; so those at it are counted, too.

    Args:
        predicted: (N, K, 2) in image pixels.
        truth: (N, K, 2) in the same pixels.
        annotated: (N, K) bool.
        sizes: (N,) of the people in pixels.
        flip_indices: index of each joint's other side; its own if it has none.
        threshold: in sizes of the person.

    Returns:
        The counts; no pairs if no joint has another side.
    """
    annotated = np.asarray(annotated, bool)
    flip = list(flip_indices)
    has_other = np.array(flip) != np.arange(len(flip))
    counted = annotated & annotated[:, flip] & has_other  # (N, K)
    own = normalized_distances(predicted, truth, sizes)
    other = normalized_distances(predicted, truth[:, flip], sizes)
    confused = counted & (other < own)
    found = confused & (other <= threshold)
    pairs = [(joint, other_side) for joint, other_side in enumerate(flip)
             if joint < other_side]
    joints_of = counted.sum(axis=1)
    return Confusions(
        {pair: tuple(int(marks[:, pair].sum())
                     for marks in (counted, confused, found))
         for pair in pairs},
        people=int((joints_of > 0).sum()),
        flipped=int((2 * confused.sum(axis=1) > joints_of).sum()))
