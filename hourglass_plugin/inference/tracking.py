"""Follow people through a video by the overlap of their boxes."""
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

#: Of a person's box beyond the keypoints on each side, as a fraction of their
#: larger extent, as in Leeds Sports Pose.
_MARGIN = 0.075


def box_around(keypoints: np.ndarray,
               scores: np.ndarray | None = None) -> np.ndarray:
    """Return a person's box (4,) left, top, right, bottom in pixels.

    Args:
        keypoints: (K, 2) x and y in pixels.
        scores: (K,); keypoints below 0.1 are left out, unless all are.
    """
    if scores is not None and (scores >= 0.1).any():
        keypoints = keypoints[scores >= 0.1]
    low, high = keypoints.min(0), keypoints.max(0)
    margin = max(_MARGIN * float((high - low).max()), 0.5)
    return np.concatenate([low - margin, high + margin]).astype(np.float32)


class Tracker:
    """Number people so that they keep their number from frame to frame.

    Boxes and those of the last frames are paired so that they overlap most in
    all; one without a partner gets a new number.

    Args:
        min_overlap: intersection over union of boxes of one person.
        patience: frames for which a person who is not found is remembered.
    """

    def __init__(self, min_overlap: float = 0.3, patience: int = 15) -> None:
        self.min_overlap = min_overlap
        self.patience = patience
        self._boxes: dict[int, np.ndarray] = {}
        self._missed: dict[int, int] = {}
        self._next = 1

    def update(self, boxes: Sequence[np.ndarray]) -> list[int]:
        """Return the number, from 1, of each box (4,) of the next frame."""
        known = list(self._boxes)
        numbers = [0] * len(boxes)
        if known and len(boxes):
            overlaps = box_overlap(
                np.stack(boxes), np.stack(list(self._boxes.values())))
            for row, column in zip(*linear_sum_assignment(-overlaps)):
                if overlaps[row, column] >= self.min_overlap:
                    numbers[row] = known[column]
        for index, box in enumerate(boxes):
            if not numbers[index]:
                numbers[index], self._next = self._next, self._next + 1
            self._boxes[numbers[index]] = box
            self._missed[numbers[index]] = 0
        for number in set(known) - set(numbers):
            self._missed[number] += 1
            if self._missed[number] > self.patience:
                del self._boxes[number], self._missed[number]
        return numbers


def box_overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return intersection over union of (N, 4) and (M, 4) boxes, (N, M)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = (high - low).clip(0).prod(-1)
    area, other = ((each[:, 2:] - each[:, :2]).prod(-1)
                   for each in (boxes, others))
    return common / np.maximum(area[:, None] + other - common, 1e-9)
