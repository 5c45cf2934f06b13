"""Writes synthetic shapes as a data set in COCO's format."""
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

from ..drawn_data_set import SPLITS, Files, Settings, map_in_order, write_jpeg
from .sample import CLASSES, make_sample

_FILES = Files(
    generator='hourglass_plugin synthetic shapes',
    version=1,
    annotations=('annotations/train.json', 'annotations/val.json'))


def is_complete(folder: Union[str, Path], settings: Settings) -> bool:
    """Whether a folder holds the whole data set of these settings."""
    return _FILES.are_complete(folder, settings)


def write_data_set(folder: Union[str, Path],
                   settings: Settings,
                   num_workers: int = 1,
                   force: bool = False) -> Iterator[int]:
    """Write a data set, counting the images on the way.

    The files are ``images/`` and, in COCO's format for boxes,
    ``annotations/train.json`` and ``annotations/val.json``: ids count from 1
    in each, ``area`` is the number of pixels that are seen of a shape.

    Args:
        folder: where to; replaced if it holds a data set of this generator
            that is damaged.
        settings: what to draw.
        num_workers: processes that draw; the result does not depend on it.
        force: also replace a whole data set of other settings.

    Yields:
        The number of images written so far. Draw the iterator to its end.

    Raises:
        FileExistsError: if the folder holds something else, or, without
            ``force``, a data set of other settings.
    """
    with _FILES.written_whole(folder, settings, force) as unfinished:
        jobs = [(unfinished / 'images', settings, split, index)
                for split, index in settings.images]
        contents: dict[str, dict[str, list[dict]]] = {
            split:
            dict(
                images=[],
                annotations=[],
                categories=[
                    dict(id=label, name=name)
                    for label, name in enumerate(CLASSES, 1)
                ])
            for split in SPLITS
        }
        for done, (job, (image, annotations)) in enumerate(
                zip(jobs, map_in_order(_write_image, jobs, num_workers)), 1):
            content = contents[job[2]]
            content['images'].append(image)
            for annotation in annotations:
                annotation['id'] = len(content['annotations']) + 1
                content['annotations'].append(annotation)
            yield done
        for split, content in contents.items():
            path = unfinished / 'annotations' / f'{split}.json'
            path.write_text(json.dumps(content), encoding='utf-8')


def _write_image(
    job: tuple[Path, Settings, str, int]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write one image; return its record and annotations without ids."""
    folder, settings, split, index = job
    sample = make_sample(settings.seed, split, index)
    name = f'{split}_{index:06d}.jpg'
    write_jpeg(folder / name, sample.image, settings.quality)
    height, width = sample.image.shape[:2]
    image = dict(id=index + 1, file_name=name, width=width, height=height)
    return image, [
        dict(
            image_id=index + 1,
            category_id=int(label) + 1,
            bbox=box.tolist(),
            area=int(mask.sum()),
            iscrowd=0)
        for label, box, mask in zip(sample.labels, sample.boxes, sample.masks)
    ]
