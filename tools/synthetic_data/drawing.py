"""Draw into (H, W, 3) uint8 BGR images; pixel centres are whole numbers."""
import colorsys

import cv2
import numpy as np
from numpy.typing import ArrayLike

_SHIFT = 4  # binary digits after the point, in OpenCV's integers

Color = tuple[float, ...]  #: one value a channel


def _fixed(points: ArrayLike) -> np.ndarray:
    """Convert pixels to OpenCV's fixed-point integers."""
    return np.rint(np.asarray(points) * 2**_SHIFT).astype(np.int32)


def random_color(rng: np.random.Generator,
                 saturation: tuple[float, float] = (0.45, 0.95),
                 value: tuple[float, float] = (0.5, 1.0),
                 hue: float | None = None) -> Color:
    """Draw a BGR colour, 0 to 255; any hue unless it is given (1 a turn)."""
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random() if hue is None else hue % 1, rng.uniform(*saturation),
        rng.uniform(*value))
    return 255 * blue, 255 * green, 255 * red


def shade(color: Color, factor: float) -> Color:
    """Return a colour times a factor, at most 255."""
    return tuple(min(255.0, part * factor) for part in color)


def stroke(image: np.ndarray, points: ArrayLike, width: float,
           color: Color) -> None:
    """Draw a line with round ends through places (N, 2), anti-aliased."""
    cv2.polylines(image, [_fixed(points)], False, color, max(1, round(width)),
                  cv2.LINE_AA, _SHIFT)


def polygon(image: np.ndarray, corners: ArrayLike, color: Color) -> None:
    """Fill a polygon, (N, 2), anti-aliased."""
    cv2.fillPoly(image, [_fixed(corners)], color, cv2.LINE_AA, _SHIFT)


def disc(image: np.ndarray, middle: ArrayLike, radius: float,
         color: Color) -> None:
    """Fill a circle, anti-aliased; ``middle`` is (2,)."""
    cv2.circle(image, _fixed(middle).tolist(), int(_fixed(radius)), color,
               cv2.FILLED, cv2.LINE_AA, _SHIFT)


def background(rng: np.random.Generator, height: int,
               width: int) -> np.ndarray:
    """Draw a plain or patterned background with loose strokes; uint8 BGR."""
    color = np.array(random_color(rng, (0.05, 0.45), (0.45, 1.0)))
    clouds = rng.uniform(-1, 1, (6, 6, 3)) * rng.uniform(0, 40)
    image = color + cv2.resize(
        clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    image = np.clip(image, 0, 255).astype(np.uint8)
    second = shade(tuple(color), rng.uniform(0.7, 1.2))
    pattern = rng.choice(['plain', 'ground', 'stripes'], p=[0.5, 0.25, 0.25])
    lean = rng.uniform(-height, height)
    if pattern == 'ground':
        image[int(rng.uniform(0.55, 0.85) * height):] = second
    elif pattern == 'stripes':
        for x in range(-height, width + height, 30):
            stroke(image, [(x, 0), (x + lean, height)], 10, second)
    for _ in range(rng.integers(7)):
        path = rng.uniform(0, 1, 2) * (width, height) + np.cumsum(
            rng.normal(0, 7, (6, 2)) + rng.normal(0, 4, 2), 0)
        thick = int(rng.integers(1, 4))
        stroke(image, path, thick, random_color(rng, (0.1, 0.6)))
    return image


def with_noise(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Change light and contrast a little and add noise; the image, uint8."""
    noise = rng.normal(0, rng.uniform(0, 5), image.shape)
    image = rng.uniform(0.8, 1.1) * (image + noise) + rng.uniform(-20, 20)
    return np.clip(image, 0, 255).astype(np.uint8)
