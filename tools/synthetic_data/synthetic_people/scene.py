"""Backgrounds, things in front and the camera of synthetic photographs.

Images are BGR (H, W, 3) uint8 where OpenCV draws (it smooths edges in those
only), float32 where light is computed.
"""
from typing import Any

import cv2
import numpy as np

from synthetic_people.clothing import random_color


def cloud(rng: np.random.Generator,
          height: int,
          width: int,
          octaves: int = 4,
          stretch: float = 1.0) -> np.ndarray:
    """Smooth noise (height, width), float32, about -1 to 1.

    ``stretch`` > 1 makes it longer in x.
    """
    total: np.ndarray = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = 3 * 2**octave
        grid = rng.uniform(-1, 1, (max(
            2, cells), max(2, int(cells * width / height / stretch)))).astype(
                np.float32)
        total += cv2.resize(
            grid,
            (width, height), interpolation=cv2.INTER_LINEAR) / (1.6**octave)
    return total / 1.6


def background(rng: np.random.Generator, height: int,
               width: int) -> np.ndarray:
    """A place, (height, width, 3) uint8."""
    kind = rng.choice(6, p=[0.22, 0.18, 0.2, 0.16, 0.14, 0.1])
    return (_landscape, _street, _room, _foliage, _court,
            _abstract)[kind](rng, height, width)


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round, uint8."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _gradient(height: int, width: int, top: np.ndarray,
              bottom: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return to_bytes(np.repeat(top + share * (bottom - top), width, 1))


def _textured(rng: np.random.Generator,
              area: np.ndarray,
              strength: float,
              stretch: float = 1.0) -> None:
    """Lay smooth and fine noise over a part of an image, in place."""
    height, width = area.shape[:2]
    if height < 2 or width < 2:
        return
    grain = rng.standard_normal((height, width), np.float32)
    noise = strength * (cloud(rng, height, width, 5, stretch) + 0.25 * grain)
    area[:] = to_bytes(area + noise[..., None])


def _darken(image: np.ndarray, part: Any, factor: float) -> None:
    """Darken a part of an image, in place; ``part`` is any index of it."""
    image[part] = (image[part] * factor).astype(np.uint8)


def _sky(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    blue = np.array(
        [rng.uniform(170, 245),
         rng.uniform(140, 200),
         rng.uniform(90, 190)], np.float32)
    image = _gradient(height, width, blue,
                      0.5 * blue + 0.5 * np.float32(rng.uniform(180, 250)))
    if rng.random() < 0.6:
        clouds = np.clip(cloud(rng, height, width, 5, 2.0), 0, 1)[..., None]
        image = to_bytes(image + clouds *
                         (245.0 - image) * rng.uniform(0.3, 1))
    return image


def _trees(rng: np.random.Generator, image: np.ndarray, base: float,
           count: int) -> None:
    height, width = image.shape[:2]
    for _ in range(count):
        x, y = rng.uniform(0, width), base + rng.uniform(-0.03, 0.06) * height
        size = rng.uniform(0.08, 0.3) * height
        trunk = np.array(
            [rng.uniform(20, 60),
             rng.uniform(35, 75),
             rng.uniform(50, 100)])
        cv2.line(image, (int(x), int(y)), (int(x), int(y - size)),
                 trunk.tolist(), max(1, int(size * 0.12)), cv2.LINE_AA)
        green = np.array(
            [rng.uniform(10, 70),
             rng.uniform(60, 140),
             rng.uniform(20, 110)])
        for _ in range(int(rng.integers(8, 22))):
            offset = rng.normal(0, 0.32, 2) * size
            shade = green * (0.75 - offset[1] / size * 0.5 +
                             rng.uniform(-0.15, 0.15))
            cv2.circle(image,
                       (int(x + offset[0]), int(y - size * 1.25 + offset[1])),
                       int(size * rng.uniform(0.08, 0.28)), shade.tolist(), -1,
                       cv2.LINE_AA)


def _building(rng: np.random.Generator, image: np.ndarray, x0: int, x1: int,
              top: int, base: int) -> None:
    wall = np.array(random_color(rng, 0.15), np.float32) * 0.6 + 70
    cv2.rectangle(image, (x0, top), (x1, base), wall.tolist(), -1)
    step = rng.uniform(9, 26)
    pane = rng.uniform(0.4, 0.7) * step
    tall = pane * rng.uniform(0.8, 1.8)
    glass = np.array(random_color(rng, 0.2)) * 0.5
    for y in np.arange(top + 4, base - tall, tall * rng.uniform(1.3, 1.9)):
        for x in np.arange(x0 + 4, x1 - pane, step):
            shade = glass * rng.uniform(0.6, 1.6)
            cv2.rectangle(image, (int(x), int(y)),
                          (int(x + pane), int(y + tall)), shade.tolist(), -1)


def _landscape(rng: np.random.Generator, height: int,
               width: int) -> np.ndarray:
    horizon = int(height * rng.uniform(0.25, 0.75))
    image = _sky(rng, height, width)
    if rng.random() < 0.6:
        ridge = horizon - height * (0.06 +
                                    0.1 * np.abs(cloud(rng, 2, width, 3)[0]))
        outline = np.stack([np.arange(width), ridge], 1)
        outline = np.concatenate(
            [outline, [[width, horizon + 4], [0, horizon + 4]]])
        cv2.fillPoly(image, [outline.astype(np.int32)],
                     (random_color(rng, 0.2) * 0.6 + 40).tolist())
    ground = np.array([(60, 120, 90), (120, 165, 190), (110, 115, 120),
                       (190, 160, 120), (60, 90, 120),
                       (225, 225, 230)][rng.integers(6)], np.float32)
    ground = ground * rng.uniform(0.6, 1.1)
    image[horizon:] = _gradient(height - horizon, width, ground * 1.05,
                                ground * 0.8)
    _textured(rng, image[horizon:], rng.uniform(8, 30), 2.5)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 4))):
            x0 = int(rng.uniform(-0.2, 0.9) * width)
            _building(rng, image, x0, x0 + int(rng.uniform(0.15, 0.4) * width),
                      int(horizon - rng.uniform(0.1, 0.4) * height), horizon)
    if rng.random() < 0.65:
        _trees(rng, image, horizon, int(rng.integers(1, 7)))
    return image


def _street(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    image = _sky(rng, height, width)
    base = int(height * rng.uniform(0.6, 0.9))
    x = -int(rng.uniform(0, 0.3) * width)
    while x < width:
        step = int(rng.uniform(0.2, 0.6) * width)
        _building(rng, image, x, x + step,
                  int(base - rng.uniform(0.35, 1.0) * height), base)
        x += step
    stone = rng.uniform(60, 170)
    image[base:] = stone
    _textured(rng, image[base:], 14, 2)
    for _ in range(int(rng.integers(0, 6))):
        x0 = rng.uniform(-0.3, 1.3) * width
        cv2.line(image, (int(x0), height),
                 (int(0.5 * width + 0.6 * (x0 - 0.5 * width)), base),
                 [stone * 0.75] * 3, 1, cv2.LINE_AA)
    if rng.random() < 0.4:  # a car
        x0, y0 = rng.uniform(-0.1, 0.8) * width, base + 0.02 * height
        long, tall = rng.uniform(0.3, 0.5) * width, 0.1 * height
        paint = random_color(rng, 0.7).tolist()
        cv2.rectangle(image, (int(x0), int(y0 - tall)),
                      (int(x0 + long), int(y0)), paint, -1)
        cv2.rectangle(image, (int(x0 + long * 0.2), int(y0 - 1.8 * tall)),
                      (int(x0 + long * 0.75), int(y0 - tall)), (70, 60, 50),
                      -1)
        for wheel in (0.2, 0.8):
            cv2.circle(image, (int(x0 + long * wheel), int(y0)),
                       int(tall * 0.42), (25, 25, 25), -1, cv2.LINE_AA)
    return image


def _room(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    wall = random_color(rng, 0.3) * 0.5 + 100
    image = _gradient(height, width, wall * rng.uniform(0.8, 1.05),
                      wall * rng.uniform(0.8, 1.05))
    if rng.random() < 0.35:  # wallpaper or tiles
        step = int(rng.integers(8, 30))
        _darken(image, np.s_[:, np.arange(width) % step < step // 2],
                rng.uniform(0.85, 0.97))
        if rng.random() < 0.5:
            _darken(image, np.arange(height) % step < 2, 0.85)
    base = int(height * rng.uniform(0.6, 0.92))
    floor = random_color(rng, 0.2) * 0.6 + 40
    image[base:] = floor
    if rng.random() < 0.6:
        _textured(rng, image[base:], 16, 5)
    for _ in range(int(rng.integers(1, 6))):  # pictures, windows, furniture
        size = rng.uniform(0.12, 0.4, 2) * (width, height)
        x0 = int(rng.uniform(-0.1, 0.9) * width)
        standing = rng.random() < 0.5
        y0 = int(base + 0.05 * height -
                 size[1] if standing else rng.uniform(0.02, 0.5) * height)
        x1, y1 = int(x0 + size[0]), int(y0 + size[1])
        color = random_color(rng, 0.4)
        cv2.rectangle(image, (x0, y0), (x1, y1), color.tolist(), -1)
        cv2.rectangle(image, (x0, y0), (x1, y1), (color * 0.5).tolist(), 2)
        for _ in range(int(rng.integers(0, 4))):
            x, y = rng.uniform((x0, y0), (x1, y1))
            cv2.line(image, (x0, int(y)), (x1, int(y)), (color * 0.7).tolist(),
                     1)
            cv2.circle(image, (int(x), int(y)),
                       int(rng.uniform(2, 0.3 * size.min())),
                       random_color(rng).tolist(), -1, cv2.LINE_AA)
    _darken(image, np.s_[base:base + 2], 0.7)
    return image


def _foliage(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    green = np.array(
        [rng.uniform(20, 80),
         rng.uniform(70, 130),
         rng.uniform(30, 120)], np.float32)
    image = _gradient(height, width, green * 0.6, green * 0.5)
    _textured(rng, image, 25)
    number = int(rng.integers(120, 300))
    places = rng.uniform(0, 1, (number, 2)) * (width, height)
    sizes = rng.uniform(0.01, 0.06, number) * height
    turns = rng.uniform(0, 180, number)
    shades = rng.uniform(0.5, 1.5,
                         (number, 1)) * green + rng.normal(0, 10, (number, 3))
    for place, size, turn, shade in zip(places, sizes, turns, shades):
        cv2.ellipse(image, tuple(map(int, place)),
                    (max(1, int(size)), max(1, int(size * 0.45))), turn, 0,
                    360, shade.tolist(), -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 5))):
        x = rng.uniform(0, width)
        cv2.line(image, (int(x), 0),
                 (int(x + rng.normal(0, 0.1 * width)), height), (30, 45, 60),
                 int(rng.integers(3, 14)), cv2.LINE_AA)
    if rng.random() < 0.6:
        base = int(height * rng.uniform(0.7, 0.92))
        image[base:] = green * rng.uniform(0.7, 1.2)
        _textured(rng, image[base:], 22, 2)
    return image


def _court(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    crowd = int(height * rng.uniform(0.15, 0.55))
    image = np.full((height, width, 3), rng.uniform(30, 120), np.uint8)
    for y in range(0, crowd, 9):  # heads and shoulders in rows
        for x in np.arange(rng.uniform(0, 9), width, 9):
            jitter = rng.normal(0, 1.5, 2)
            cv2.circle(image, (int(x + jitter[0]), int(y + 6 + jitter[1])), 4,
                       random_color(rng).tolist(), -1)
            cv2.circle(image, (int(x + jitter[0]), int(y + jitter[1])), 2,
                       (110, 135, 180), -1)
    board = int(crowd + rng.uniform(0.04, 0.14) * height)
    x = 0
    while x < width:
        step = int(rng.uniform(0.15, 0.5) * width)
        color = random_color(rng, 0.8)
        cv2.rectangle(image, (x, crowd), (x + step, board), color.tolist(), -1)
        letter = (board - crowd) // 2
        for left in range(x + letter, x + step - letter, letter):
            if letter > 2 and rng.random() < 0.8:
                cv2.rectangle(image, (left, crowd + letter // 2),
                              (left + int(letter * rng.uniform(0.2, 0.7)),
                               board - letter // 2), (255 - color).tolist(),
                              -1)
        x += step
    ground = np.array([(60, 130, 70), (70, 95, 180), (120, 160, 200),
                       (150, 110, 60), (70, 70, 75)][rng.integers(5)],
                      np.float32)
    image[board:] = ground * rng.uniform(0.7, 1.1)
    _textured(rng, image[board:], rng.uniform(4, 18), 3)
    for _ in range(int(rng.integers(1, 5))):
        ends = rng.uniform((-0.3, board / height), (1.3, 1.2),
                           (2, 2)) * (width, height)
        cv2.line(image, tuple(map(int, ends[0])), (int(
            ends[1][0]), int(ends[0][1] + 0.3 * (ends[1][1] - ends[0][1]))),
                 (230, 230, 230), int(rng.integers(1, 4)), cv2.LINE_AA)
    return image


def _abstract(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    colors = np.stack([cloud(rng, height, width, 6) for _ in range(3)], -1)
    image = to_bytes(
        _gradient(height, width, random_color(rng), random_color(rng)) +
        rng.uniform(10, 60) * colors)
    for _ in range(int(rng.integers(3, 16))):
        x, y = rng.uniform(0, 1, 2) * (width, height)
        size = rng.uniform(0.03, 0.25, 2) * height
        color = random_color(rng).tolist()
        cv2.ellipse(image, (int(x), int(y)), tuple(map(int, size + 1)),
                    rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
        end = rng.uniform(0, 1, 2) * (width, height)
        cv2.line(image, (int(x), int(y)), tuple(map(int, end)), color,
                 int(rng.integers(1, 12)), cv2.LINE_AA)
    return image


def cast_shadow(image: np.ndarray, foot: np.ndarray, size: float,
                strength: float) -> None:
    """Darken the ground around a place (2,), in place; ``size`` in px."""
    height, width = image.shape[:2]
    x = np.exp(-((np.arange(width) - foot[0]) / size)**2)
    y = np.exp(-((np.arange(height) - foot[1]) / (0.2 * size))**2)
    image *= (1 - strength * np.outer(y, x))[..., None].astype(np.float32)


def with_bench(rng: np.random.Generator, image: np.ndarray, seat: np.ndarray,
               bottom: float, size: float) -> np.ndarray:
    """Put something to sit on below a place (2,); px, new uint8 image."""
    image = to_bytes(image)
    color = random_color(rng, 0.4)
    half = size * rng.uniform(0.6, 1.6)
    x0, x1 = int(seat[0] - half), int(seat[0] + half)
    y0 = int(seat[1])
    thick = max(2, int(0.2 * size))
    if rng.random() < 0.4:  # with a back
        cv2.rectangle(image, (x0, int(y0 - size * rng.uniform(1.2, 2.2))),
                      (x1, y0), (color * 0.6).tolist(), -1)
    if rng.random() < 0.5:  # a box
        cv2.rectangle(image, (x0, y0), (x1, int(bottom)),
                      (color * 0.75).tolist(), -1)
    else:
        for x in (x0 + thick, x1 - thick):
            cv2.line(image, (x, y0), (x, int(bottom)), (color * 0.7).tolist(),
                     max(2, thick // 2))
    cv2.rectangle(image, (x0, y0), (x1, y0 + thick), color.tolist(), -1)
    return image


def with_occluder(rng: np.random.Generator, image: np.ndarray,
                  box: np.ndarray) -> np.ndarray:
    """Put something in front of a person (box x1, y1, x2, y2; px).

    Returns a new uint8 image.
    """
    image = to_bytes(image)
    height, width = image.shape[:2]
    size = box[2:] - box[:2]
    x, y = rng.uniform(box[:2], box[2:])
    color = random_color(rng)
    edge = (color * 0.6).tolist()
    kind = rng.integers(6)
    if kind == 0:  # a post with a shaded side
        half = rng.uniform(0.02, 0.06) * size[1]
        for share in np.linspace(-1, 1, 7):
            cv2.line(image, (int(x + share * half), 0),
                     (int(x + share * half), height),
                     (color * (1 - 0.5 * abs(share + 0.3))).tolist(),
                     max(2, int(half / 2)))
    elif kind == 1:  # a box with a lid
        half = rng.uniform(0.10, 0.22, 2) * size[1]
        y = max(y, box[1] + 0.45 * size[1])
        low, high = (int(x - half[0]), int(y - half[1])), (int(x + half[0]),
                                                           int(y + half[1]))
        cv2.rectangle(image, low, high, color.tolist(), -1)
        cv2.rectangle(image, low, (high[0], int(y - 0.7 * half[1])),
                      (color * 0.8).tolist(), -1)
        cv2.rectangle(image, low, high, edge, 2)
    elif kind == 2:  # leaves hanging or growing in
        green = np.array(
            [rng.uniform(20, 70),
             rng.uniform(70, 140),
             rng.uniform(30, 110)])
        spread = rng.uniform(0.06, 0.13) * size[1]
        for _ in range(int(rng.integers(25, 60))):
            place = rng.normal((x, y), spread)
            cv2.ellipse(image, tuple(map(int, place)),
                        (int(rng.uniform(3, 0.05 * size[1] + 4)), 3),
                        rng.uniform(0, 180), 0, 360,
                        (green * rng.uniform(0.5, 1.4)).tolist(), -1,
                        cv2.LINE_AA)
    elif kind == 3:  # a ball
        radius = int(rng.uniform(0.05, 0.10) * size[1]) + 3
        for share in np.linspace(1, 0.1, 6):
            cv2.circle(image, (int(x - 0.3 * (1 - share) * radius),
                               int(y - 0.3 * (1 - share) * radius)),
                       int(radius * share),
                       (color * (1.15 - 0.55 * share)).tolist(), -1,
                       cv2.LINE_AA)
    elif kind == 4:  # a table's edge or a wall
        y = box[1] + rng.uniform(0.55, 0.9) * size[1]
        thick = int(rng.uniform(0.04, 0.12) * size[1]) + 2
        x0 = int(x - rng.uniform(0.2, 0.8) * width)
        x1 = int(x + rng.uniform(0.2, 0.8) * width)
        cv2.rectangle(image, (x0, int(y)), (x1, int(y) + thick),
                      color.tolist(), -1)
        cv2.line(image, (x0, int(y) + thick), (x1, int(y) + thick), edge, 2)
    else:  # rails
        for step in range(int(rng.integers(2, 5))):
            height_here = int(y + step * 0.14 * size[1])
            cv2.line(image, (0, height_here), (width, height_here),
                     color.tolist(), int(rng.integers(2, 5)), cv2.LINE_AA)
    return image


def photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Light, lens and sensor: (H, W, 3) float32 to uint8."""
    height, width = image.shape[:2]
    image = image * rng.normal(1, 0.05, 3).clip(0.85, 1.15).astype(np.float32)
    image = (image - 127) * np.float32(rng.uniform(0.75, 1.15)) + 127
    image = image * np.float32(np.exp(rng.normal(0, 0.18)))
    if rng.random() < 0.3:  # part of the scene lies in the shade
        shade = cloud(rng, height, width, 2)[..., None]
        image = image * (1 + rng.uniform(0.1, 0.35) * shade)
    image = np.clip(image, 0, 255)
    if rng.random() < 0.08:
        image = image.mean(2, keepdims=True).repeat(3, 2)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1))
    if rng.random() < 0.7:
        sigma = rng.uniform(1, 8)
        image = image + rng.standard_normal(
            image.shape, dtype=np.float32) * np.float32(sigma)
    return to_bytes(image)
