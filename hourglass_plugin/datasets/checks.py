"""Checks of datasets before the first step: images, names and classes."""
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from torch import nn

from ..transforms.image_io import UnreadableImageError
from .coco_file import simplified_name
from .image_headers import read_headers
from .readers.pose_json import load_json


def check_dataset(dataset: Any, model: nn.Module, phase: str,
                  trained: Sequence[str] = ()) -> list[str]:
    """Check a dataset's keypoints or classes, and that its images are there.

    Args:
        dataset: MMPose's, MMDetection's or ours, or a wrapper of such.
        model: the model, with a ``bbox_head`` if it is a detector.
        phase: ``train``, ``val`` or ``test``, for the message.
        trained: the keypoints of the training set, if it is another.

    Returns:
        The dataset's keypoints.

    Raises:
        ValueError: if images are missing or unreadable (unless the dataset
            skips them), no keypoint is annotated, parts, file or training set
            have the keypoints in another order, or a detector has other
            classes than the file.
    """
    where = f'{phase}_dataloader.dataset'
    names = _keypoint_names(dataset)
    if names != list(trained) and sorted(names) == sorted(trained):
        raise ValueError(f'{where} has the keypoints {", ".join(names)}, but '
                         f'the training set {", ".join(trained)}: give both '
                         'the same metainfo')
    for part in _parts(dataset):
        theirs = _keypoint_names(part)
        if names and theirs != names and 'KeypointConverter' not in str(
                part.pipeline):
            raise ValueError(
                f'{where}: a part has the keypoints {", ".join(theirs)}, but '
                f'the whole {", ".join(names)}: add KeypointConverter to the '
                "part's pipeline")
        if getattr(part, 'is_checked', False):
            continue
        if theirs:
            _check_order(part, theirs)
        elif 'classes' in part.metainfo:
            _check_classes(part, model, where)
        _check_records(part, phase, where)
        part.is_checked = True
    return names


def _parts(dataset: Any) -> Iterator[Any]:
    """Yield the datasets in a wrapper, at any depth, or the dataset."""
    inner = getattr(dataset, 'dataset', None)
    parts = [*(getattr(dataset, 'datasets', None) or ()),
             *([inner] if isinstance(inner, BaseDataset) else [])]
    for part in parts:
        yield from _parts(part)
    if not parts and isinstance(dataset, BaseDataset):
        yield dataset


def _keypoint_names(dataset: Any) -> list[str]:
    names: Mapping = (getattr(dataset, 'metainfo', None)
                      or {}).get('keypoint_id2name') or {}
    return [str(names[index]) for index in sorted(names)]


def _check_order(dataset: BaseDataset, names: list[str]) -> None:
    """Reject a file of MMPose's datasets with names in another order."""
    from .custom_dataset import CustomKeypointDataset
    if isinstance(dataset, CustomKeypointDataset):
        return  # orders them
    mine = list(map(simplified_name, names))
    for category in dataset.metainfo.get('CLASSES') or ():
        theirs = category.get('keypoints') or []
        given = list(map(simplified_name, theirs))
        if given != mine and sorted(given) == sorted(mine):
            raise ValueError(
                f'{dataset.ann_file}: category {category.get("name")!r} has '
                f'the keypoints in the order {", ".join(theirs)}, but '
                f'{type(dataset).__name__} reads them as {", ".join(names)}; '
                'CustomKeypointDataset orders them by name')


def _check_classes(dataset: Any, model: nn.Module, where: str) -> None:
    """Compare a detector's classes, its file's and its number of outputs."""
    classes = list(dataset.metainfo['classes'])
    outputs = getattr(getattr(model, 'bbox_head', None), 'num_classes', None)
    if outputs not in (None, len(classes)):
        raise ValueError(
            f'{where}.metainfo has {len(classes)} classes, '
            f'{", ".join(classes)}, but model.bbox_head.num_classes is '
            f'{outputs}: set both to the number of classes')
    if not hasattr(dataset, 'cat_ids'):
        return
    content = load_json(dataset.ann_file)
    names = [each['name'] for each in content['categories']]
    if [name for name in names if name in classes] != classes:
        raise ValueError(
            f'{where}: {dataset.ann_file} has the categories '
            f'{", ".join(names)}, but metainfo.classes {", ".join(classes)}: '
            "set metainfo=dict(classes=(...)) to the file's names, in the "
            "file's order, and model.bbox_head.num_classes to their number")
    if len(names) > len(classes):
        print_log(f'{dataset.ann_file}: objects of other categories than '
                  f'{", ".join(classes)} are left out', 'current',
                  logging.WARNING)


def _check_records(dataset: Any, phase: str, where: str) -> None:
    """Reject records without any annotation, or without their image."""
    sizes: dict[str, Any] = {}
    samples: dict[str, int] = {}
    is_annotated = False
    for index in range(len(dataset)):
        # Not MMPose's, which copies the metainfo for each.
        record = BaseDataset.get_data_info(dataset, index)
        marks = record.get('keypoints_visible')
        is_annotated |= marks is None or bool((np.asarray(marks) > 0).any())
        if isinstance(record.get('img_path'), str):
            sizes[record['img_path']] = record.get('annotated_size')
            samples.setdefault(record['img_path'], index)
    if sizes and not is_annotated and phase == 'train':
        raise ValueError(f'{where}: no keypoint has v > 0, so there is '
                         f'nothing to learn from {dataset.ann_file}')
    if getattr(dataset, 'skip_corrupt', False):
        return
    reasons = {}
    for path, header in read_headers(sizes).items():
        if isinstance(header, UnreadableImageError):
            reasons[path] = header.reason
        elif sizes[path] not in (None, header.size, header.size[::-1]):
            reasons[path] = (
                f'it has {header.size[0]} x {header.size[1]} pixels, but the '
                f'annotation file says {sizes[path][0]} x {sizes[path][1]}')
    if not reasons:
        return
    path = min(reasons, key=lambda path: samples[path])
    remedy = '; skip_corrupt=True of the dataset skips such images in training'
    can_skip = phase == 'train' and hasattr(dataset, 'skip_corrupt')
    raise ValueError(
        f'{where}: {len(reasons)} of {len(sizes)} images cannot be used, the '
        f'first is {path!r} (sample {samples[path]} of {dataset.ann_file}): '
        f'{reasons[path]}; replace them, remove them from the annotations, or '
        f'correct data_root and data_prefix{remedy if can_skip else ""}')
