"""The mean pose, a trivial baseline."""
import numpy as np


def mean_pose(keypoints: np.ndarray, annotated: np.ndarray,
              centers: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the average place of each joint within its person's box.

    Args:
        keypoints: (N, K, 2) in image pixels.
        annotated: (N, K) bool; only these count.
        centers: (N, 2) middles of the boxes in image pixels.
        scales: (N, 2) widths and heights of the boxes in pixels.

    Returns:
        (K, 2) as share of the box, (0, 0) being its middle; NaN for a joint
        that is never annotated.
    """
    places = (keypoints - centers[:, None]) / scales[:, None]  # (N, K, 2)
    counts = (annotated > 0).sum(axis=0)[:, None]  # (K, 1)
    total = np.where(annotated[..., None] > 0, places, 0).sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def place_pose(pose: np.ndarray, center: np.ndarray,
               scale: np.ndarray) -> np.ndarray:
    """Return the mean pose in a person's box.

    Args:
        pose: (K, 2) of :func:`mean_pose`.
        center: (2,) in image pixels.
        scale: (2,) in pixels.

    Returns:
        (K, 2) in image pixels.
    """
    return center + pose * scale
