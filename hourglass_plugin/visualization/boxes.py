"""Boxes on an image: arrays in, a new image out."""
from collections.abc import Sequence
from typing import Optional

import cv2
import numpy as np

_FONT = cv2.FONT_HERSHEY_SIMPLEX
# BGR; told apart by people who do not see all colours, too (Okabe and Ito).
_COLORS = [(0, 94, 213), (178, 114, 0), (115, 158, 0), (167, 121, 204),
           (233, 180, 86), (0, 159, 230)]


def draw_boxes(image: np.ndarray,
               boxes: np.ndarray,
               labels: np.ndarray,
               classes: Sequence[str],
               palette: Optional[Sequence[Sequence[int]]] = None,
               scores: Optional[np.ndarray] = None) -> np.ndarray:
    """Draw boxes with their names, the surest on top.

    Args:
        image: (H, W, 3) uint8 BGR.
        boxes: (N, 4) left, top, right and bottom edge in pixels of the image,
            whose first pixel reaches from 0 to 1.
        labels: (N,) places in ``classes``.
        classes: names.
        palette: RGB for each class; by default colours that differ.
        scores: (N,) 0 to 1, written beside the names.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    image = image.copy()
    thickness = max(1, round(image.shape[0] / 200))
    order = range(len(boxes)) if scores is None else np.argsort(scores)
    for index in order:
        label = int(labels[index])
        if palette is None:
            color = _COLORS[label % len(_COLORS)]
        else:
            red, green, blue = palette[label]
            color = (blue, green, red)
        left, top, right, bottom = np.rint(boxes[index]).astype(int).tolist()
        # The line's middle runs through the outermost pixels.
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), color,
                      thickness)
        text = classes[label]
        if scores is not None:
            text += f' {scores[index]:.2f}'
        _write(image, text, left, top, color)
    return image


def _write(image: np.ndarray, text: str, left: int, bottom: int,
           color: tuple[int, int, int]) -> None:
    """Write white on a colour, above a place or, at the top, below it."""
    size = max(0.35, image.shape[0] / 1000)
    (width, height), below = cv2.getTextSize(text, _FONT, size, 1)
    height += below + 2
    bottom = max(bottom, height)
    left = max(min(left, image.shape[1] - width - 2), 0)
    cv2.rectangle(image, (left, bottom - height), (left + width + 1, bottom),
                  color, cv2.FILLED)
    cv2.putText(image, text, (left + 1, bottom - below), _FONT, size,
                (255, 255, 255), 1, cv2.LINE_AA)
