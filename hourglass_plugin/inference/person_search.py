"""Find a person in an image with the pose network alone.

Heatmaps are high where a crop fits a person, as in training. The network is
applied to windows of several sizes all over the image; around the keypoints in
the best ones new crops are laid, and again. The box with the highest scores is
the result: always one, with low scores where there is no person.

Sizes, steps and numbers were chosen on training samples of Leeds Sports Pose
Extended, in their images and pasted into others.
"""
from collections.abc import Callable

import cv2
import numpy as np

#: Sides of the windows, as fractions of the image's longer one.
WINDOW_SIZES = (0.8, 0.5, 0.32)
#: From one window to the next, as a fraction of its side.
WINDOW_STEP = 0.66
#: Number of windows that are refined, and of refinements.
CANDIDATES, REFINEMENTS = 3, 2
#: A person's box and the square around the keypoints, as in Leeds Sports Pose.
BOX_PER_JOINTS = 1.15
#: From an image (H, W, 3) and boxes (N, 4) to the keypoints in each of them:
#: positions (N, K, 2) and scores (N, K).
PoseFunction = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray,
                                                        np.ndarray]]


def find_person(image: np.ndarray, predict: PoseFunction,
                input_side: int) -> np.ndarray:
    """Return the box of the person with the highest scores.

    Args:
        image: (H, W, 3) uint8.
        predict: finds keypoints in boxes.
        input_side: the network's input in pixels, the longer side. Where a
            box has several times as many, a reduced image is used.

    Returns:
        (4,) left, top, right, bottom in pixels, also beyond the image.
    """
    height, width = image.shape[:2]
    levels = [image]
    while min(levels[-1].shape[:2]) >= 2 * input_side:
        levels.append(_halved(levels[-1]))
    boxes = search_windows(width, height)
    keypoints, scores = _predict(levels, boxes, predict, input_side)
    for _ in range(REFINEMENTS):
        best = np.argsort(-scores, kind='stable')[:CANDIDATES]
        boxes = np.stack([box_around(each) for each in keypoints[best]])
        keypoints, scores = _predict(levels, boxes, predict, input_side)
    return boxes[scores.argmax()]


def search_windows(width: int, height: int) -> np.ndarray:
    """Return square windows (N, 4) that cover an image, in pixels.

    Left, top, right, bottom. One larger than the image is in its middle.
    """
    windows: list[tuple[float, ...]] = []
    for fraction in WINDOW_SIZES:
        side = fraction * max(width, height)
        for top in _starts(height, side):
            windows += [(left, top, left + side, top + side)
                        for left in _starts(width, side)]
    return np.array(windows, np.float32)


def _starts(length: int, side: float) -> np.ndarray:
    """Return the starts of windows that cover a length evenly."""
    if side >= length:
        return np.array([(length - side) / 2])
    steps = np.ceil((length - side) / (WINDOW_STEP * side))
    return np.linspace(0, length - side, int(steps) + 1)


def box_around(keypoints: np.ndarray) -> np.ndarray:
    """Return a person's box (4,) as in training, from keypoints (K, 2)."""
    low, high = keypoints.min(0), keypoints.max(0)
    half = max(BOX_PER_JOINTS * float((high - low).max()), 1.0) / 2
    center = (low + high) / 2
    return np.concatenate([center - half, center + half]).astype(np.float32)


def _halved(image: np.ndarray) -> np.ndarray:
    """Return an image of half the size; an odd row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[:2 * height, :2 * width]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def _predict(levels: list[np.ndarray], boxes: np.ndarray,
             predict: PoseFunction,
             input_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Predict in each box from the image that has no more than it needs.

    Returns:
        Keypoints (N, K, 2) in pixels of the whole image, mean scores (N,).
    """
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
    chosen = np.floor(np.log2(sides / input_side)).astype(int)
    chosen = chosen.clip(0, len(levels) - 1)
    found: dict[int, tuple[np.ndarray, float]] = {}
    for level in np.unique(chosen):
        indices = np.flatnonzero(chosen == level)
        factor = 2**level
        # The pixel c covers f c ... f c + f - 1 of the whole image.
        shift = (factor - 1) / 2
        keypoints, scores = predict(levels[level],
                                    (boxes[indices] - shift) / factor)
        found.update(
            zip(indices, zip(keypoints * factor + shift, scores.mean(1))))
    places, means = zip(*(found[index] for index in range(len(boxes))))
    return np.stack(places), np.array(means)
