"""Draw shapes with exact boxes, in COCO's format, to try detectors with.

The files are ``annotations/train.json`` and ``val.json``, with ids from 1 and
areas in visible pixels, and ``images/``.
"""
import json
from pathlib import Path
from typing import Any

import cv2
import drawing
import numpy as np
from drawing import polygon, random_color, shade
from synthetic import SyntheticDataset, image_name, image_rng

#: Names of the shapes, in the order of their labels.
CLASSES = ('disc', 'rectangle', 'triangle')


def make_sample(seed: int, split: str,
                index: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw an image of one to five shapes.

    The same arguments give the same pixels, whatever was drawn before.

    Returns:
        Image, (H, W, 3) uint8 BGR, and annotation: ``labels`` (N,), indices
        into :data:`CLASSES`; ``masks`` (N, H, W) bool, the visible pixels of
        each shape, at least 60 % of it.

    Raises:
        ValueError: if the split is unknown or a number is negative.
    """
    rng = image_rng(seed, split, index)
    # At most 127: test images are padded to one less than a power of two.
    height, width = rng.integers(96, 128, 2).tolist()
    image = drawing.background(rng, height, width)
    labels: list[int] = []
    masks: list[np.ndarray] = []
    areas: list[int] = []  # with what is hidden
    wanted = rng.integers(1, 6)
    for _ in range(4 * wanted):  # some places are taken
        label, corners = _random_shape(rng, height, width)
        mask = np.zeros((height, width), np.uint8)
        polygon(mask, corners, (255, ))
        behind = [other & (mask < 128) for other in masks]
        if len(labels) < wanted and all(
                other.sum() >= 0.6 * area
                for other, area in zip(behind, areas)):
            color = random_color(rng)
            polygon(image, corners, shade(color, 0.5))
            polygon(image, corners + 0.1 * (corners.mean(0) - corners), color)
            labels.append(label)
            masks = [*behind, mask >= 128]
            areas.append(masks[-1].sum())
    return drawing.with_noise(rng, image), dict(
        labels=np.array(labels), masks=np.stack(masks))


def _random_shape(rng: np.random.Generator, height: int,
                  width: int) -> tuple[int, np.ndarray]:
    """Draw a label and corners (N, 2) px; many are small, few are large."""
    label = int(rng.integers(len(CLASSES)))
    if CLASSES[label] == 'disc':
        angles = np.arange(0, 360, 9)
    elif CLASSES[label] == 'rectangle':
        half = rng.uniform(30, 60)
        angles = np.array([-half, half, 180 - half, 180 + half])
    else:
        angles = np.cumsum(75 + rng.dirichlet([2, 2, 2]) * 135)
    radians = np.radians(angles + rng.uniform(0, 360))
    radius = np.exp(rng.uniform(*np.log((10, 34))))
    middle = rng.uniform(radius + 1, np.array([width, height]) - radius - 2)
    return label, middle + radius * np.stack(
        [np.cos(radians), np.sin(radians)], 1)


def box_of(mask: np.ndarray) -> list[int]:
    """Return COCO's box of a mask: left, top, width and height in pixels.

    The mask, (H, W) bool, is not empty.
    """
    return list(cv2.boundingRect(mask.astype(np.uint8)))


def _write_annotations(folder: Path, drawn: dict[str, list[dict]]) -> None:
    for split, samples in drawn.items():
        content: dict[str, list[dict]] = dict(
            images=[],
            annotations=[],
            categories=[dict(id=i + 1, name=n) for i, n in enumerate(CLASSES)])
        for index, sample in enumerate(samples):
            height, width = sample['masks'].shape[1:]
            image = dict(id=index + 1, width=width, height=height)
            content['images'].append(
                dict(image, file_name=image_name(split, index)))
            for label, mask in zip(sample['labels'], sample['masks']):
                content['annotations'].append(
                    dict(
                        id=len(content['annotations']) + 1,
                        image_id=index + 1,
                        category_id=int(label) + 1,
                        bbox=box_of(mask),
                        area=int(mask.sum()),
                        iscrowd=0))
        (folder / f'{split}.json').write_text(json.dumps(content))


DATASET = SyntheticDataset(
    generator='hourglass_plugin synthetic shapes 2',
    annotations=('train.json', 'val.json'),
    draw=make_sample,
    write_annotations=_write_annotations)
