"""Percentage of correct keypoints (PCK) as pure functions.

Shape shorthand: N people, K keypoints, T thresholds.
"""
from collections.abc import Iterable, Sequence

import numpy as np


def normalized_distances(predicted: np.ndarray, truth: np.ndarray,
                         sizes: np.ndarray) -> np.ndarray:
    """Distances between keypoints, measured in each person's own size.

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
        raise ValueError(
            f'predicted {predicted.shape}, truth {truth.shape} and sizes '
            f'{sizes.shape} do not fit; they must be (N, K, 2) twice and (N,)')
    wrong = np.flatnonzero(~((sizes > 0) & np.isfinite(sizes)))
    if wrong.size:
        raise ValueError(f'person {wrong[0]} has size {sizes[wrong[0]]}; '
                         'sizes must be positive and finite')
    difference = predicted.astype(np.float64) - truth
    return np.linalg.norm(difference, axis=2) / sizes[:, None]


def pck(distances: np.ndarray, annotated: np.ndarray,
        threshold: float) -> np.ndarray:
    """Share of correct keypoints of each joint, in percent.

    A keypoint is correct if its distance is at most the threshold (MPII's
    evaluation compares with ``<=``).

    Args:
        distances: (N, K), see :func:`normalized_distances`.
        annotated: (N, K) bool; only these count.
        threshold: in sizes of the person, e.g. 0.5 for PCKh@0.5.

    Returns:
        (K,) float64 in [0, 100]; NaN for a joint that nobody has annotated.
    """
    return pck_curve(distances, annotated, [threshold])[0]


def pck_curve(distances: np.ndarray, annotated: np.ndarray,
              thresholds: Iterable[float]) -> np.ndarray:
    """:func:`pck` at several thresholds.

    Args:
        distances: (N, K).
        annotated: (N, K) bool.
        thresholds: T of them.

    Returns:
        (T, K) float64 in [0, 100]; NaN for a joint that nobody has annotated.
    """
    annotated = np.asarray(annotated, bool)
    counts = annotated.sum(axis=0)
    correct = np.stack([((np.asarray(distances) <= threshold)
                         & annotated).sum(axis=0) for threshold in thresholds])
    return np.where(counts > 0, 100.0 * correct / np.maximum(counts, 1),
                    np.nan)


def curve_thresholds(last: float) -> np.ndarray:
    """Where MPII's evaluation samples the curve: 0, 0.01, ... up to ``last``.

    Args:
        last: the benchmark's threshold. Where it is no multiple of 0.01, the
            steps are as close to that as fits.

    Returns:
        (T,) float64, evenly spaced.
    """
    steps = max(round(last * 100), 1)
    thresholds = np.arange(steps + 1) / (steps / last)
    thresholds[-1] = last
    return thresholds


def area_under_curve(curve: np.ndarray) -> np.ndarray:
    """Area under a curve by trapezoids, as share of the largest there can be.

    Args:
        curve: (T, ...) percent at evenly spaced thresholds, at least two; see
            :func:`curve_thresholds`.

    Returns:
        (...) float64 in [0, 100].
    """
    curve = np.asarray(curve, np.float64)
    return ((curve[1:] + curve[:-1]) / 2).mean(axis=0)


def mean_pck(scores: np.ndarray, annotated: np.ndarray,
             joints: Sequence[int]) -> float:
    """Mean over joints, weighted by how often each is annotated.

    Args:
        scores: (K,) of :func:`pck`.
        annotated: (N, K) bool, the same.
        joints: which joints count; MPII leaves out pelvis and thorax.

    Returns:
        The mean in [0, 100]; NaN if none of the joints is annotated.
    """
    counts = np.asarray(annotated, bool).sum(axis=0)[list(joints)]
    if counts.sum() == 0:
        return float('nan')
    shares = np.nan_to_num(np.asarray(scores)[list(joints)])
    return float((shares * counts).sum() / counts.sum())
