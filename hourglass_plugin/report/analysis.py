"""Where a model errs: whom, how large people are, left taken for right.

Arrays in, numbers out. Shape shorthand: N people, K keypoints.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..evaluation.pck import mean_pck, normalized_distances, pck


def mean_errors(distances: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Each person's mean distance over the annotated joints.

    Args:
        distances: (N, K); what is not a number counts as infinite.
        annotated: (N, K) bool.

    Returns:
        (N,) in the unit of the distances; NaN for who has no annotated joint.
    """
    annotated = np.asarray(annotated, bool)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    counts = annotated.sum(axis=1)
    total = np.where(annotated, distances, 0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def best_median_worst(errors: np.ndarray,
                      count: int) -> dict[str, list[int]]:
    """Whom to look at.

    Args:
        errors: (N,) of the people; NaN leaves one out.
        count: how many of each kind; fewer where there are not three times
            as many people.

    Returns:
        ``best``, ``median`` and ``worst`` -> positions, all different: the
        best first, the median by error, the worst first. Of equal errors the
        one that comes first is the smaller.
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
    """People of about one size.

    Attributes:
        smallest: size of the smallest, in pixels.
        largest: size of the largest, in pixels.
        people: how many.
        joints: how many annotated joints they have.
        score: share of correct joints in percent.
        quartiles: a quarter, half and three quarters of the joints are
            within so many pixels of the truth; infinite where predictions
            are not finite, NaN without joints.
    """

    smallest: float
    largest: float
    people: int
    joints: int
    score: float
    quartiles: tuple[float, float, float]


def errors_by_size(predicted: np.ndarray, truth: np.ndarray,
                   annotated: np.ndarray, sizes: np.ndarray,
                   joints: Sequence[int], threshold: float,
                   num_groups: int) -> list[SizeGroup]:
    """Errors of small and of large people.

    Quantiles of the sizes divide the people: groups are equally large, but
    people of one size are never divided.

    Args:
        predicted: (N, K, 2) in image pixels.
        truth: (N, K, 2) in the same pixels.
        annotated: (N, K) bool.
        sizes: (N,) of the people in pixels, positive.
        joints: which count.
        threshold: in sizes of the person.
        num_groups: how many groups, at most.

    Returns:
        The groups in which there is somebody, from the smallest people on.
    """
    if not len(sizes):
        return []
    distances = normalized_distances(predicted, truth, sizes)
    pixels = distances * sizes[:, None]
    edges = np.quantile(sizes, np.linspace(0, 1, num_groups + 1)[1:-1])
    numbers = np.searchsorted(edges, sizes, side='right')
    groups = []
    for number in np.unique(numbers):
        inside = numbers == number
        counted = annotated[inside][:, joints]
        found = np.sort(
            np.nan_to_num(pixels[inside][:, joints][counted], nan=np.inf))
        quarter, half, three = (float('nan'), ) * 3
        if found.size:  # of infinite ones it would make NaN by interpolating
            quarter, half, three = np.quantile(
                found, [0.25, 0.5, 0.75], method='inverted_cdf').tolist()
        groups.append(
            SizeGroup(
                float(sizes[inside].min()), float(sizes[inside].max()),
                int(inside.sum()), found.size,
                mean_pck(
                    pck(distances[inside], annotated[inside], threshold),
                    annotated[inside], joints), (quarter, half, three)))
    return groups


class Confusion(NamedTuple):
    """How often a left joint and its right one are taken for each other.

    Attributes:
        pair: positions of the two joints.
        joints: how many predictions were looked at.
        nearer: how many of them are nearer to the other side's truth.
        found: how many of these are correct for the other side: within the
            threshold of its truth.
    """

    pair: tuple[int, int]
    joints: int
    nearer: int
    found: int


class Confusions(NamedTuple):
    """Left and right of all pairs.

    Attributes:
        pairs: in the order of the joints.
        people: how many people were looked at.
        mirrored: how many of them are confused in more than half of the
            joints that were looked at.
    """

    pairs: list[Confusion]
    people: int
    mirrored: int


def left_right_confusions(predicted: np.ndarray, truth: np.ndarray,
                          annotated: np.ndarray, sizes: np.ndarray,
                          flip_indices: Sequence[int],
                          threshold: float) -> Confusions:
    """Joints that are predicted where the other side's is.

    Looked at are the joints of people of whom both sides are annotated, two
    for each such person and pair. A joint is confused if its prediction is
    nearer to the truth of the other side than to its own; one that is as far
    from both, or not finite, is not. A prediction at random is confused
    half of the time, so ``found`` counts those that sit on the other joint.

    Args:
        predicted: (N, K, 2) in image pixels.
        truth: (N, K, 2) in the same pixels.
        annotated: (N, K) bool.
        sizes: (N,) of the people in pixels.
        flip_indices: for each joint the position of its mirror image; itself
            where it has none.
        threshold: in sizes of the person.

    Returns:
        The counts; no pairs where no joint has a mirror image.
    """
    annotated = np.asarray(annotated, bool)
    flip = list(flip_indices)
    has_other = np.array(flip) != np.arange(len(flip))
    counted = annotated & annotated[:, flip] & has_other  # (N, K)
    own = normalized_distances(predicted, truth, sizes)
    other = normalized_distances(predicted, truth[:, flip], sizes)
    confused = counted & (other < own)
    found = confused & (other <= threshold)
    pairs = [(joint, mirrored) for joint, mirrored in enumerate(flip)
             if joint < mirrored]
    joints_of = counted.sum(axis=1)
    return Confusions(
        [
            Confusion(pair, *(int(marks[:, pair].sum())
                              for marks in (counted, confused, found)))
            for pair in pairs
        ],
        people=int((joints_of > 0).sum()),
        mirrored=int((2 * confused.sum(axis=1) > joints_of).sum()))
