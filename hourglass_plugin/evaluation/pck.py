"""Percentage of correct keypoints (PCK) as pure functions.

Shape shorthand: N people, K keypoints, T thresholds.
"""
from collections.abc import Iterable, Sequence

import numpy as np


def normalized_distances(predicted: np.ndarray, truth: np.ndarray,
                         sizes: np.ndarray) -> np.ndarray:
    """Return distances between keypoints in sizes of the person.

    Args:
        predicted: (N, K, 2) in image pixels.
        truth: (N, K, 2) in the same pixels.
        sizes: (N,) in pixels: head sizes for PCKh, torso sizes for FLIC.

    Returns:
        (N, K) float64.

    Raises:
        ValueError: if shapes do not fit or a size is not positive and finite.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    sizes = np.asarray(sizes, np.float64)
    if predicted.shape != truth.shape or sizes.shape != truth.shape[:1]:
        raise ValueError(f'predicted {predicted.shape}, truth {truth.shape} '
                         f'and sizes {sizes.shape} do not fit')
    wrong = np.flatnonzero(~((sizes > 0) & np.isfinite(sizes)))
    if wrong.size:
        raise ValueError(f'person {wrong[0]} has size {sizes[wrong[0]]}; '
                         'sizes must be positive and finite')
    difference = predicted.astype(np.float64) - truth
    return np.linalg.norm(difference, axis=2) / sizes[:, None]


def pck(distances: np.ndarray, annotated: np.ndarray,
        threshold: float) -> np.ndarray:
    """Return :func:`pck_curve` at one threshold, (K,)."""
    return pck_curve(distances, annotated, [threshold])[0]


def pck_curve(distances: np.ndarray, annotated: np.ndarray,
              thresholds: Iterable[float]) -> np.ndarray:
    """Return the share of correct keypoints of each joint, in percent.

    A keypoint is correct if its distance is at most the threshold (``<=``, as
    in MPII's evaluation).

    Args:
        distances: (N, K), see :func:`normalized_distances`.
        annotated: (N, K) bool; only these count.
        thresholds: T, in sizes of the person, e.g. 0.5 for PCKh@0.5.

    Returns:
        (T, K) float64 in [0, 100]; NaN for a joint that is never annotated.
    """
    annotated = np.asarray(annotated, bool)
    counts = annotated.sum(axis=0)
    correct = np.stack([((np.asarray(distances) <= threshold)
                         & annotated).sum(axis=0) for threshold in thresholds])
    return np.where(counts > 0, 100.0 * correct / np.maximum(counts, 1),
                    np.nan)


def curve_thresholds(last: float) -> np.ndarray:
    """Return thresholds 0, 0.01, ... ``last``, as in MPII's evaluation.

    (T,) float64, evenly spaced, in nearly 0.01 where that does not divide.
    """
    steps = max(round(last * 100), 1)
    thresholds = np.arange(steps + 1) / (steps / last)
    thresholds[-1] = last
    return thresholds


def area_under_curve(curve: np.ndarray) -> np.ndarray:
    """Return the normalized area under a curve by trapezoids.

    Args:
        curve: (T, ...) percent at two or more evenly spaced thresholds.

    Returns:
        (...) float64 in [0, 100].
    """
    curve = np.asarray(curve, np.float64)
    return ((curve[1:] + curve[:-1]) / 2).mean(axis=0)


def mean_pck(scores: np.ndarray, annotated: np.ndarray,
             joints: Sequence[int]) -> float:
    """Return the mean over joints, weighted by how often each is annotated.

    Args:
        scores: (K,) of :func:`pck`.
        annotated: (N, K) bool, the same.
        joints: indices of joints that count; MPII excludes pelvis and thorax.

    Returns:
        The mean in [0, 100]; NaN if none of the joints is annotated.
    """
    counts = np.asarray(annotated, bool).sum(axis=0)[list(joints)]
    if counts.sum() == 0:
        return float('nan')
    shares = np.nan_to_num(np.asarray(scores)[list(joints)])
    return float((shares * counts).sum() / counts.sum())
