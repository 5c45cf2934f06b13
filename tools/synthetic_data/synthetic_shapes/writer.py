"""Writes synthetic shapes as a data set in COCO's format.

The files are ``images/`` and, in COCO's format for boxes,
``annotations/train.json`` and ``annotations/val.json``: ids count from 1 in
each, ``area`` is the number of pixels that are seen of a shape.
"""
import json
from pathlib import Path
from typing import Any

from synthetic import Job, SyntheticDataset, write_jpeg

from synthetic_shapes.sample import CLASSES, make_sample


def _write_image(job: Job) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write one image; return its record and annotations without ids."""
    sample = make_sample(job.settings.seed, job.split, job.index)
    write_jpeg(job.folder / job.name, sample.image, job.settings.quality)
    height, width = sample.image.shape[:2]
    image = dict(
        id=job.index + 1, file_name=job.name, width=width, height=height)
    return image, [
        dict(
            image_id=job.index + 1,
            category_id=int(label) + 1,
            bbox=box.tolist(),
            area=int(mask.sum()),
            iscrowd=0)
        for label, box, mask in zip(sample.labels, sample.boxes, sample.masks)
    ]


def _write_annotations(folder: Path, drawn: dict[str, list]) -> None:
    for split, images in drawn.items():
        annotations = [
            annotation for _, of_image in images for annotation in of_image
        ]
        content = dict(
            images=[image for image, _ in images],
            annotations=[
                dict(annotation, id=number)
                for number, annotation in enumerate(annotations, 1)
            ],
            categories=[
                dict(id=label, name=name)
                for label, name in enumerate(CLASSES, 1)
            ])
        (folder / f'{split}.json').write_text(
            json.dumps(content), encoding='utf-8')


_DATA_SET = SyntheticDataset(
    generator='hourglass_plugin synthetic shapes',
    version=1,
    annotations=('annotations/train.json', 'annotations/val.json'),
    write_image=_write_image,
    write_annotations=_write_annotations)
is_complete = _DATA_SET.is_complete
write_data_set = _DATA_SET.write
