"""One synthetic photograph with its annotation, from numbers alone."""
from dataclasses import dataclass

import cv2
import numpy as np
from synthetic import image_rng

from hourglass_plugin.skeletons import MPII
from synthetic_people import scene
from synthetic_people.canvas import Canvas
from synthetic_people.clothing import random_outfit
from synthetic_people.figure import Projection, draw_person, head_box
from synthetic_people.pose import Figure, sample_figure, sample_view


@dataclass(frozen=True)
class Sample:
    """A photograph and its one annotated person.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        joints: (16, 2) float64 px, 0-based, in the order of MPII, of all
            joints, also those outside the image.
        annotated: (16,) bool: the joint lies in the image. Hidden joints
            are annotated, as in MPII.
        center: (2,) float64 px, 0-based, MPII's rough place of the person.
        scale: person size over 200 px.
        head: (4,) float64 px, 0-based head box: x1, y1, x2, y2.
    """

    image: np.ndarray
    joints: np.ndarray
    annotated: np.ndarray
    center: np.ndarray
    scale: float
    head: np.ndarray


def make_sample(seed: int, split: str, index: int) -> Sample:
    """Draw a person's photograph.

    The same arguments give the same pixels, whatever was drawn before.

    Args:
        seed: of the whole data set, not negative.
        split: ``'train'`` or ``'val'``.
        index: number of the image within the split, not negative.

    Raises:
        ValueError: if an argument is out of range.
    """
    rng = image_rng(seed, split, index)
    height, width = rng.integers((200, 176), (281, 257))

    figure = sample_figure(rng)
    projection = _place(rng, figure, height, width)
    joints = projection.points(figure.joints)[:, :2]
    image: np.ndarray = scene.background(rng, height,
                                         width).astype(np.float32)
    if rng.random() < 0.35:  # the background is out of focus
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.5))

    light = rng.normal((0, -0.6, 0.9), (0.6, 0.4, 0.3))
    light /= np.linalg.norm(light)
    canvas = Canvas(image, light, ambient=rng.uniform(0.3, 0.75))
    others = rng.choice(4, p=[0.57, 0.28, 0.11, 0.04])
    behind = rng.random(others) < 0.75
    for _ in range(int(behind.sum())):
        _draw_other(rng, canvas, joints, projection.scale)
    lowest = joints[:, 1].max()
    ankles = joints[MPII.indices(['left_ankle', 'right_ankle'])]
    scene.cast_shadow(image, np.array([ankles[:, 0].mean(), lowest]),
                      0.45 * projection.scale, rng.uniform(0.1, 0.6))
    if figure.legs == 'sitting':
        seat = projection.points(np.array([0, -0.10, 0.0]))[:2]
        image[:] = scene.with_bench(rng, image, seat, max(lowest, seat[1] + 5),
                                    0.25 * projection.scale)
    draw_person(canvas, figure, random_outfit(rng, _skirt_hangs(figure)),
                projection)
    for _ in range(int((~behind).sum())):
        _draw_other(rng, canvas, joints, projection.scale, in_front=True)
    box = np.concatenate([joints.min(0), joints.max(0)])
    if rng.random() < 0.3:
        image[:] = scene.with_occluder(rng, image, box)

    inside = (joints >= 0) & (joints <= (width - 1, height - 1))
    center, scale = _center_and_scale(rng, joints, figure, projection,
                                      (width, height))
    return Sample(
        image=scene.photograph(rng, image),
        joints=joints,
        annotated=np.all(inside, axis=1),
        center=center,
        scale=scale,
        head=head_box(figure, projection))


def _skirt_hangs(figure: Figure) -> bool:
    return figure.legs in ('standing', 'walking', 'sitting', 'astride')


def _place(rng: np.random.Generator, figure: Figure, height: int,
           width: int) -> Projection:
    """A view with the person in the image, one in four partly outside.

    The head stays inside, so that every person has a head box to measure
    errors by.
    """
    view = sample_view(rng)
    flat = (figure.joints @ view.T)[:, :2] * (1, -1)
    low, high = flat.min(0), flat.max(0)
    extent = high - low + 0.2  # joints lie within the body
    fit = min(width / extent[0], height / extent[1])
    scale = min(fit * rng.uniform(0.62, 0.98), 0.62 * height)
    cut = rng.random() < 0.25
    if cut:
        scale = fit * rng.uniform(1.05, 1.6)
    room = np.array([width, height]) - extent * scale
    share = rng.uniform(0.1, 0.9, 2)
    origin = -low * scale + 0.1 * scale + room * share
    if cut:  # mostly the legs are lost
        head = flat[MPII.indices(['upper_neck', 'head_top'
                                  ])].mean(0) * scale + origin
        margin = 0.16 * scale
        origin += np.clip(head, margin,
                          (width - margin, height - margin)) - head
    return Projection(view, scale, origin)


def _draw_other(rng: np.random.Generator,
                canvas: Canvas,
                joints: np.ndarray,
                scale: float,
                in_front: bool = False) -> None:
    """Someone else nearby, of another size if further behind."""
    figure = sample_figure(rng)
    size = scale * (
        rng.uniform(0.9, 1.1) if in_front else rng.uniform(0.45, 1.0))
    side = rng.choice([-1, 1])
    # In front of others but beside the annotated person: the person's own
    # middle must stay in sight, or nobody could tell who is meant.
    away = rng.uniform(0.75, 1.2) if in_front else rng.uniform(0.4, 1.4)
    middle = joints[MPII.indices(['pelvis', 'thorax'])].mean(0)
    place = middle + (side * away * scale, rng.uniform(-0.1, 0.25) * scale)
    draw_person(canvas, figure, random_outfit(rng, _skirt_hangs(figure)),
                Projection(sample_view(rng), size, place))


def _center_and_scale(rng: np.random.Generator, joints: np.ndarray,
                      figure: Figure, projection: Projection,
                      size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """MPII's place and size of a person, as roughly as annotators give it.

    The place is above the middle of the body: who crops moves it down by
    15 * scale again.
    """
    limit = np.array(size) - 1
    low = np.clip(joints.min(0), 0, limit)
    high = np.clip(joints.max(0), 0, limit)
    extent = (joints.max(0) - joints.min(0)).max()
    standing = figure.build.height * projection.scale
    scale = max(extent * 1.05, 0.8 * standing) / 200
    scale *= float(np.clip(rng.normal(1, 0.05), 0.9, 1.12))
    center = (low + high) / 2 - (0, 15 * scale)
    center += rng.normal(0, 4 * scale, 2)
    return np.clip(center, 0, limit), scale
