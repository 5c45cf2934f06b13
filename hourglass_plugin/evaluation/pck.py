"""Percentage of correct keypoints (PCK) as pure functions.

Shape shorthand: N people, K keypoints.
"""
from typing import Sequence

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
        ValueError: if shapes do not fit or a size is not positive.
    """
    predicted, truth = np.asarray(predicted), np.asarray(truth)
    sizes = np.asarray(sizes, np.float64)
    if predicted.shape != truth.shape or sizes.shape != truth.shape[:1]:
        raise ValueError(
            f'predicted {predicted.shape}, truth {truth.shape} and sizes '
            f'{sizes.shape} do not fit; they must be (N, K, 2) twice and (N,)')
    wrong = np.flatnonzero(~(sizes > 0))
    if wrong.size:
        raise ValueError(f'person {wrong[0]} has size {sizes[wrong[0]]}; '
                         'sizes must be positive')
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
    annotated = np.asarray(annotated, bool)
    correct = ((np.asarray(distances) <= threshold) & annotated).sum(axis=0)
    counts = annotated.sum(axis=0)
    return np.where(counts > 0, 100.0 * correct / np.maximum(counts, 1),
                    np.nan)


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
