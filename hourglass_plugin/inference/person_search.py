"""Where in a photograph a person is, found with the pose network alone.

A network that was trained on crops of one person each answers with high
heatmaps where the crop fits a person, and with low ones elsewhere. So it is
asked about windows of several sizes and places all over the photograph; around
the joints that it finds in the best ones new crops are laid, which fit better,
and the same is done again. What it is most sure of in the end is the answer.
It is one person, the one that the network knows best, however many there are;
and always one: where there is nobody, its scores are low.

Sizes, steps and numbers were chosen on people of Leeds Sports Pose Extended to
train, in their photographs and pasted into others.
"""
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

#: Sides of the windows, as shares of the photograph's longer one.
WINDOW_SIZES = (0.8, 0.5, 0.32)
#: From one window to the next, as a share of its side.
WINDOW_STEP = 0.66
#: How many of the windows are followed, and how often.
CANDIDATES, REFINEMENTS = 3, 2
#: A person's box and the square around the joints, as in Leeds Sports Pose.
BOX_PER_JOINTS = 1.15


class Guess(NamedTuple):
    """A box and the joints that the network finds in it."""

    box: np.ndarray  #: (4,) left, top, right, bottom, in pixels
    keypoints: np.ndarray  #: (K, 2), in pixels
    scores: np.ndarray  #: (K,)

    @property
    def score(self) -> float:
        """How sure the network is, over all joints."""
        return float(self.scores.mean())


#: From an image (H, W, 3) and boxes (N, 4) to the joints in each of them:
#: keypoints (N, K, 2) and scores (N, K).
PoseFunction = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray,
                                                        np.ndarray]]


def find_person(image: np.ndarray, predict: PoseFunction,
                input_side: int) -> np.ndarray:
    """The box of the person that the network is most sure of.

    Args:
        image: (H, W, 3) uint8.
        predict: what finds joints in boxes.
        input_side: the network's input in pixels, the longer side. Where a
            box has several times as many, a reduced image is predicted from.

    Returns:
        (4,) left, top, right, bottom, in pixels; it may reach beyond the
        image.
    """
    height, width = image.shape[:2]
    levels = _pyramid(image, input_side)

    def look(boxes: np.ndarray) -> list[Guess]:
        return _predict_reduced(levels, boxes, predict, input_side)

    guesses = look(search_windows(width, height))
    guesses.sort(key=lambda guess: -guess.score)
    guesses = guesses[:CANDIDATES]
    for _ in range(REFINEMENTS):
        guesses = look(
            np.stack([box_around(guess.keypoints) for guess in guesses]))
    best = max(guesses, key=lambda guess: guess.score)
    return best.box


def search_windows(width: int, height: int) -> np.ndarray:
    """Square windows of several sizes that cover an image.

    Args:
        width: of the image, in pixels.
        height: of the image, in pixels.

    Returns:
        (N, 4) left, top, right, bottom, in pixels. A window that is larger
        than a side of the image is in its middle.
    """
    windows: list[tuple[float, ...]] = []
    for share in WINDOW_SIZES:
        side = share * max(width, height)
        for top in _starts(height, side):
            windows += [(left, top, left + side, top + side)
                        for left in _starts(width, side)]
    return np.array(windows, np.float32)


def _starts(length: int, side: float) -> np.ndarray:
    """Where windows begin that cover a length evenly."""
    if side >= length:
        return np.array([(length - side) / 2])
    steps = np.ceil((length - side) / (WINDOW_STEP * side))
    return np.linspace(0, length - side, int(steps) + 1)


def box_around(keypoints: np.ndarray) -> np.ndarray:
    """The square box of a person with these joints, as training has them.

    Args:
        keypoints: (K, 2) x and y in pixels.

    Returns:
        (4,) left, top, right, bottom, in pixels.
    """
    low, high = keypoints.min(0), keypoints.max(0)
    half = max(BOX_PER_JOINTS * float((high - low).max()), 1.0) / 2
    center = (low + high) / 2
    return np.concatenate([center - half, center + half]).astype(np.float32)


def _pyramid(image: np.ndarray, input_side: int) -> list[np.ndarray]:
    """The image, and halves of it as long as they can serve."""
    levels = [image]
    while min(levels[-1].shape[:2]) >= 2 * input_side:
        height, width = levels[-1].shape[:2]
        # An odd row or column would shift all others.
        even = levels[-1][:height // 2 * 2, :width // 2 * 2]
        levels.append(
            cv2.resize(
                even, (width // 2, height // 2),
                interpolation=cv2.INTER_AREA))
    return levels


def _predict_reduced(levels: Sequence[np.ndarray], boxes: np.ndarray,
                     predict: PoseFunction, input_side: int) -> list[Guess]:
    """Predict in each box from an image that has no more than it needs."""
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
    chosen = np.clip(
        np.floor(np.log2(sides / input_side)), 0,
        len(levels) - 1).astype(int)
    guesses: dict[int, Guess] = {}
    for level in np.unique(chosen):
        indices = np.flatnonzero(chosen == level)
        factor = 2**level
        # The pixel c covers f c ... f c + f - 1 of the whole image.
        shift = (factor - 1) / 2
        keypoints, scores = predict(levels[level],
                                    (boxes[indices] - shift) / factor)
        for index, joints, heights in zip(indices, keypoints, scores):
            guesses[int(index)] = Guess(boxes[index],
                                        joints * factor + shift, heights)
    return [guesses[index] for index in range(len(boxes))]
