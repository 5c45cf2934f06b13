"""Find people in an image with the pose network alone.

The network predicts a pose in windows of several sizes all over the image. A
:class:`PersonJudge` tells from the keypoints and their scores where the
person's box is, and how likely it is one. In the best boxes poses are
predicted and judged again; of boxes that overlap the best is kept.

A judge is trained for one network, by ``tools/misc/train_person_judge.py``.
Without one, a person is where the mean score is highest: scores are high where
a crop fits a person, as in training. The constants were chosen on training
images.
"""
from collections.abc import Callable

import cv2
import numpy as np
import torch
from mmpose.evaluation.functional import nms
from torch import Tensor, nn

from .tracking import box_around

#: The longer side of the image that is searched, in sides of the network's
#: input, at most.
LARGEST = 3
#: Sides of the windows, as fractions of the image's longer one.
WINDOW_SIZES = (0.8, 0.5, 0.32)
#: From one window to the next, as a fraction of its side.
WINDOW_STEP = 0.66
#: Number of boxes in which poses are predicted again, at most.
CANDIDATES = 12
#: Intersection over union of the boxes of two people, at most.
OVERLAP = 0.5
#: Confidence of a person who is found.
THRESHOLD = 0.4
#: From an image (H, W, 3) and boxes (N, 4) to the keypoints in each of them:
#: positions (N, K, 2) and scores (N, K).
PoseFunction = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray,
                                                        np.ndarray]]


class PersonJudge(nn.Module):
    """Judge poses of K keypoints in boxes, right and wrong ones."""

    def __init__(self, num_keypoints: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(3 * num_keypoints, affine=False),
            nn.Linear(3 * num_keypoints, 96), nn.ReLU(),
            nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 5))

    def forward(self, boxes: Tensor, keypoints: Tensor,
                scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the people's boxes (N, 4) in pixels, and logits (N,).

        Args:
            boxes: (N, 4) left, top, right, bottom, in which the poses were
                predicted.
            keypoints: (N, K, 2) in pixels.
            scores: (N, K).
        """
        center = (boxes[:, :2] + boxes[:, 2:]) / 2
        side = (boxes[:, 2:] - boxes[:, :2]).amax(1)[:, None]
        places = (keypoints - center[:, None]) / side[:, None]
        outputs = self.layers(torch.cat([places.flatten(1), scores], 1))
        return center.repeat(1, 2) + side * outputs[:, 1:], outputs[:, 0]


def find_people(
        image: np.ndarray, predict: PoseFunction, input_side: int,
        judge: PersonJudge | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes that may be people's in an image, the surest first.

    Args:
        image: (H, W, 3) uint8.
        predict: finds keypoints in boxes.
        input_side: the network's input in pixels, the longer side.
        judge: of this network.

    Returns:
        (N, 4) left, top, right, bottom in pixels, and confidences (N,), 0 to
        1; without a judge mean scores.
    """
    image, scale = reduced(image, input_side)
    height, width = image.shape[:2]
    boxes = search_windows(width, height)
    for _ in range(2):
        keypoints, scores = predict(image, boxes)
        boxes, confidences = _judged(judge, boxes, keypoints, scores)
        # Around points of the image, neither empty nor huge.
        center = ((boxes[:, :2] + boxes[:, 2:]) / 2).clip(0, [width, height])
        half = (boxes[:, 2:] - boxes[:, :2]).clip(1, 2 * max(image.shape)) / 2
        boxes = np.hstack([center - half, center + half]).astype(np.float32)
        kept = nms(np.column_stack([boxes, confidences]), OVERLAP)[:CANDIDATES]
        boxes, confidences = boxes[kept], confidences[kept]
    return (boxes + 0.5) / scale - 0.5, confidences


def reduced(image: np.ndarray, input_side: int) -> tuple[np.ndarray, float]:
    """Return the image that is searched, and its pixels per image pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, LARGEST * input_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale


def _judged(judge: PersonJudge | None,
            *pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (N, 4) and confidences (N,) of boxes and their poses."""
    if judge is None:
        return np.stack([*map(box_around, pose[1])]), pose[2].mean(1)
    with torch.no_grad():
        boxes, logits = judge(*(torch.from_numpy(x).float() for x in pose))
    return boxes.numpy(), logits.sigmoid().numpy()


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
