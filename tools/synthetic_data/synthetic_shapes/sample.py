"""One picture of shapes with their boxes, from numbers alone.

Pixel (x, y) covers x to x + 1 and y to y + 1, as in COCO, so that a shape of
a single pixel has a box of width and height 1.
"""
from dataclasses import dataclass

import cv2
import numpy as np
from synthetic import image_rng
from synthetic_people.clothing import random_color
from synthetic_people.scene import cloud, photograph

#: What there is to find, in the order of their labels.
CLASSES = ('disc', 'rectangle', 'triangle')

# Sides of images, one less than a power of two at most: images for tests are
# padded to that, at no cost if they reach it.
_SIDES = (96, 128)
# Radius of a shape's circumscribed circle in pixels.
_RADII = (10, 34)
# Less of a shape is not to be recognised, nor its box to be guessed.
_LEAST_VISIBLE = 0.6


@dataclass(frozen=True)
class Sample:
    """A picture and what can be seen in it.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        labels: (N,) int64, places in :data:`CLASSES`.
        masks: (N, H, W) bool, the pixels that are seen of each shape; what
            lies behind another shape is not among them.
        boxes: (N, 4) int64 px, COCO's left, top, width and height of the
            masks.
    """

    image: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    boxes: np.ndarray


def box_of(mask: np.ndarray) -> list[int]:
    """COCO's box of a mask: left, top, width and height in whole pixels.

    Args:
        mask: (H, W) bool, not empty.
    """
    columns, rows = (np.flatnonzero(mask.any(axis)) for axis in (0, 1))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


def make_sample(seed: int, split: str, index: int) -> Sample:
    """Draw a picture of one to five shapes.

    The same arguments give the same pixels, whatever was drawn before.

    Args:
        seed: of the whole data set, not negative.
        split: ``'train'`` or ``'val'``.
        index: number of the image within the split, not negative.

    Raises:
        ValueError: if an argument is out of range.
    """
    rng = image_rng(seed, split, index)
    height, width = rng.integers(*_SIDES, 2)
    image = _background(rng, height, width)
    labels: list[int] = []
    masks: list[np.ndarray] = []
    wholes: list[int] = []
    wanted = rng.integers(1, 6)
    for _ in range(4 * wanted):  # some places are taken
        label = int(rng.integers(len(CLASSES)))
        coverage = _coverage(rng, label, height, width)
        mask = coverage > 0.5
        behind = [other & ~mask for other in masks]
        if all(other.sum() >= _LEAST_VISIBLE * whole
               for other, whole in zip(behind, wholes)):
            image += coverage[..., None] * (_surface(rng, image, mask) - image)
            labels.append(label)
            masks = [*behind, mask]
            wholes.append(int(mask.sum()))
        if len(labels) == wanted:
            break
    return Sample(
        image=photograph(rng, image),
        labels=np.array(labels),
        masks=np.stack(masks),
        boxes=np.array([box_of(mask) for mask in masks]))


def _background(rng: np.random.Generator, height: int,
                width: int) -> np.ndarray:
    """Clouds of colour and loose strokes, which enclose nothing; float32."""
    image = np.empty((height, width, 3), np.float32)
    image[:] = random_color(rng)
    for channel in range(3):
        image[..., channel] += rng.uniform(10, 50) * cloud(rng, height, width)
    image = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(2, 12))):
        start = rng.uniform(0, 1, 2) * (width, height)
        angles = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, 8))
        steps = np.stack([np.cos(angles), np.sin(angles)], 1)
        path = start + np.cumsum(rng.uniform(2, 9) * steps, 0)
        cv2.polylines(image, [np.rint(path).astype(np.int32)], False,
                      random_color(rng).tolist(), int(rng.integers(1, 4)),
                      cv2.LINE_AA)
    return image.astype(np.float32)


def _coverage(rng: np.random.Generator, label: int, height: int,
              width: int) -> np.ndarray:
    """Share of each pixel (height, width) that a shape covers, float32."""
    # Many small ones, few large ones.
    radius = np.exp(rng.uniform(*np.log(_RADII)))
    x, y = rng.uniform(radius + 1, (width - radius - 1, height - radius - 1))
    columns, rows = np.arange(width) + 0.5 - x, np.arange(height) + 0.5 - y
    if CLASSES[label] == 'disc':
        outside = np.hypot(columns, rows[:, None]) - radius
    elif CLASSES[label] == 'rectangle':
        # The angle from the middle to a corner; 45 degrees is a square.
        half = np.radians(rng.uniform(30, 60))
        turn = rng.uniform(0, np.pi)
        outside = _beyond_edges(columns, rows,
                                turn + np.arange(4) * np.pi / 2,
                                radius * np.array([np.cos(half),
                                                   np.sin(half)] * 2))
    else:
        # Corners on the circle, none closer than 75 degrees to the next.
        shares = 75 + rng.dirichlet([2, 2, 2]) * (360 - 3 * 75)
        corners = np.radians(rng.uniform(0, 360) + np.cumsum(shares))
        half = np.radians(shares) / 2
        outside = _beyond_edges(columns, rows, corners - half,
                                radius * np.cos(half))
    return np.clip(0.5 - outside, 0, 1).astype(np.float32)


def _beyond_edges(columns: np.ndarray, rows: np.ndarray,
                  directions: np.ndarray,
                  distances: np.ndarray) -> np.ndarray:
    """How far (px) places lie outside of a convex shape; inside, below 0.

    Args:
        columns: (W,) px from the shape's middle.
        rows: (H,) px from the shape's middle.
        directions: (N,) of the edges' normals, radians.
        distances: (N,) of the edges from the middle, px.
    """
    return np.max([
        np.cos(direction) * columns + np.sin(direction) * rows[:, None] -
        distance for direction, distance in zip(directions, distances)
    ], 0)


def _surface(rng: np.random.Generator, image: np.ndarray,
             mask: np.ndarray) -> np.ndarray:
    """What a shape is painted with, (H, W, 3) float32."""
    height, width = mask.shape
    below = image[mask].mean(0)
    # Of some colours the one that is told best from what is below, also
    # where the picture is grey.
    colors = [random_color(rng) for _ in range(4)]
    color = max(
        colors,
        key=lambda each: np.abs(each - below).mean() + 2 * abs(
            (each - below).mean()))
    surface = np.empty((height, width, 3), np.float32)
    surface[:] = color
    second = 0.6 * color + 0.4 * random_color(rng)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(5, 14)
    along, across = (
        np.cos(turn) * np.arange(width) +
        np.sin(turn) * np.arange(height)[:, None]
        for turn in (angle, angle + np.pi / 2))
    pattern = rng.choice(['plain', 'stripes', 'checks', 'clouds'],
                         p=[0.4, 0.2, 0.15, 0.25])
    if pattern == 'stripes':
        surface[along // pitch % 2 == 0] = second
    elif pattern == 'checks':
        surface[(along // pitch + across // pitch) % 2 == 0] = second
    elif pattern == 'clouds':
        surface += 25 * cloud(rng, height, width)[..., None]
    # Light from one side.
    slope = along - along[mask].mean()
    return surface * (1 + rng.uniform(0, 0.004) * slope[..., None])
