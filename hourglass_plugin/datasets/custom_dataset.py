"""Custom keypoints in COCO's format, checked before they are used."""
import sys
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from .corrupt_images import SkipCorruptImagesDataset
from .readers.person import check_image_name, located
from .readers.pose_json import load_json

#: Pixels; float32, in which MMPose computes, has no fractions of larger ones.
_LARGEST = 1e7

_REQUIRED = dict(
    images=('id', 'file_name', 'width', 'height'),
    annotations=('id', 'image_id', 'category_id', 'bbox'),
    categories=('id', ))


@DATASETS.register_module()
class CustomKeypointDataset(SkipCorruptImagesDataset):
    """Any keypoints in a COCO-style JSON file; see docs/custom_dataset.md.

    The records are those of MMPose's ``CocoDataset``, which silently drops
    annotations without keypoints, crowds and empty boxes, and does not check
    that ``metainfo`` and file belong together. Here both are checked, and the
    log counts dropped annotations. Where the file has both of COCO's marks,
    hidden and visible, ``raw_ann_info.visible`` is (K,) bool.
    ``annotated_size`` is the image's width and height in the file, to which
    MMPose cuts the boxes; ``TopdownCrop`` rejects other images.

    Args:
        metainfo: ``dataset_name``, ``keypoint_info``, ``skeleton_info``,
            ``joint_weights`` and ``sigmas`` in MMPose's form.
        arguments: those of mmengine's ``BaseDataset``; and ``skip_corrupt``,
            see :class:`.corrupt_images.SkipCorruptImagesDataset`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if ``metainfo`` or the file is wrong; names the place.
    """

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        check_metainfo(metainfo or {})
        return super()._load_metainfo(metainfo)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        check_coco_file(self.ann_file, self._metainfo['num_keypoints'],
                        self.data_prefix['img'])
        return super()._load_annotations()

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Return MMPose's record, with ``annotated_size``."""
        record = super().parse_data_info(raw_data_info)
        if record is not None:
            image = raw_data_info['raw_img_info']
            record['annotated_size'] = image['width'], image['height']
        return record

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        records = super()._get_topdown_data_infos(instance_list)
        total = len(self.coco.anns)
        if not records:
            raise ValueError(
                f'{self.ann_file}: none of the {total} annotations has a box '
                'with an area, a keypoint with v > 0, and no iscrowd')
        if len(records) < total:
            print_log(
                f'{self.ann_file}: {len(records)} of {total} annotations are '
                'used; the others have no keypoints, an empty box or iscrowd',
                logger='current')
        annotations = [record['raw_ann_info'] for record in records]
        marks = np.array([each['keypoints'][2::3] for each in annotations])
        if (marks == 1).any() and (marks == 2).any():
            for annotation, visible in zip(annotations, marks == 2):
                annotation['visible'] = visible
        return records


def check_metainfo(metainfo: dict) -> None:
    """Reject keypoints that MMPose would mix up or not understand.

    Raises:
        ValueError: naming the keypoint or link.
    """
    for name in ('dataset_name', 'keypoint_info', 'skeleton_info',
                 'joint_weights', 'sigmas'):
        if name not in metainfo:
            raise ValueError(f'metainfo lacks {name!r}')
    keypoints = metainfo['keypoint_info']
    if list(keypoints) != list(range(len(keypoints))) or not keypoints:
        raise ValueError('keypoint_info must be numbered 0, 1, 2 ... in this '
                         f'order, but is {list(keypoints)}')
    swaps = {}
    for index, keypoint in keypoints.items():
        name = keypoint.get('name')
        if not name or name in swaps:
            raise ValueError(f'keypoint_info {index} needs a name of its own, '
                             f'but has {name!r}')
        swaps[name] = keypoint.get('swap') or name
    for name, swap in swaps.items():
        if swap not in swaps:
            raise ValueError(f'keypoint {name!r} has swap={swap!r}, but the '
                             f'keypoints are {", ".join(swaps)}')
        if swaps[swap] != name:
            raise ValueError(f'keypoint {name!r} has swap={swap!r}, which has '
                             f'swap={swaps[swap]!r}: set swap for both')
    for index, limb in metainfo['skeleton_info'].items():
        link = tuple(limb.get('link', ()))
        if len(link) != 2 or not set(link) <= set(swaps):
            raise ValueError(f'skeleton_info {index} must link two of '
                             f'{", ".join(swaps)}, but links {link}')
    for name, allowed in (('joint_weights', (len(keypoints), )),
                          ('sigmas', (0, len(keypoints)))):
        if len(metainfo[name]) not in allowed:
            raise ValueError(f'{name} has {len(metainfo[name])} numbers for '
                             f'{len(keypoints)} keypoints')


def check_coco_file(path: str, num_keypoints: int, image_folder: str) -> None:
    """Reject a COCO-style file that MMPose would misread or crash on.

    Args:
        path: the JSON file.
        num_keypoints: number of keypoints of an annotation.
        image_folder: the images' folder; see
            :func:`~hourglass_plugin.datasets.readers.person.check_image_name`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is wrong; names the entry.
    """
    content = load_json(path)
    if str(path).endswith('.gz'):
        raise ValueError(f'{path}: unpack it; pycocotools reads no .gz')
    known: dict[str, dict] = {}
    for part, required in _REQUIRED.items():
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError(f'{path} must be an object with the lists '
                             f'{", ".join(_REQUIRED)}; {part} is missing')
        known[part] = {}
        for index, entry in enumerate(entries):
            with located(f'{path}, {part}[{index}]'):
                _check_entry(entry, required, known[part])
                known[part][entry['id']] = entry
    for index, image in enumerate(content['images']):
        with located(f'{path}, images[{index}]'):
            check_image_name(image['file_name'], image_folder)
            sides = [image['width'], image['height']]
            # MMPose computes with the id.
            if not isinstance(image['id'], int) or not _are_numbers(
                    sides, 2) or any(side <= 0 or side != int(side)
                                     for side in sides):
                raise ValueError('id, width and height must be positive '
                                 f'integers: {image["id"]!r}, {sides}')
    for index, annotation in enumerate(content['annotations']):
        with located(f'{path}, annotations[{index}] '
                     f'(id {annotation["id"]!r})'):
            for name, part in (('image_id', 'images'), ('category_id',
                                                        'categories')):
                value = annotation[name]
                if not _is_id(value) or value not in known[part]:
                    raise ValueError(f'{name} {value!r} is not in {part}')
            _check_annotation(annotation,
                              known['images'][annotation['image_id']],
                              num_keypoints)


def _check_entry(entry: Any, required: tuple[str, ...], known: dict) -> None:
    """Reject an entry that lacks something, or has the id of another."""
    if not isinstance(entry, dict) or not set(required) <= set(entry):
        raise ValueError(f'it must be an object with {", ".join(required)}')
    if not _is_id(entry['id']) or entry['id'] in known:
        raise ValueError(f'the id {entry["id"]!r} is no number or text of its '
                         'own')


def _check_annotation(annotation: dict, image: dict,
                      num_keypoints: int) -> None:
    """Reject numbers that MMPose would misread or crash on."""
    if annotation.get('iscrowd', 0) not in (0, 1):
        raise ValueError(f'iscrowd is not 0 or 1: {annotation["iscrowd"]!r}')
    for name in ('area', 'num_keypoints'):
        if not _is_finite(annotation.get(name, 0)):
            raise ValueError(f'{name} is not a number: {annotation[name]!r}')
    if not _are_numbers(annotation['bbox'], 4):
        raise ValueError('bbox must be [left, top, width, height], but is '
                         f'{annotation["bbox"]!r}')
    left, top, width, height = annotation['bbox']
    # MMPose cuts boxes to the centres of the outermost pixels, and drops
    # those of which nothing remains.
    if width > 0 and height > 0 and not (
            max(left, 0) < min(left + width, image['width'] - 1)
            and max(top, 0) < min(top + height, image['height'] - 1)):
        raise ValueError(
            f'the box {annotation["bbox"]} is outside the image of '
            f'{image["width"]} x {image["height"]} pixels; remove it')
    keypoints = annotation.get('keypoints', [0] * 3 * num_keypoints)
    if not _are_numbers(keypoints, 3 * num_keypoints):
        count = len(keypoints) if isinstance(keypoints, list) else keypoints
        raise ValueError(
            f'keypoints has {count!r} numbers or an invalid one; the config '
            f'needs {3 * num_keypoints}, {num_keypoints} times x, y, v')
    if any(mark not in (0, 1, 2) for mark in keypoints[2::3]):
        raise ValueError(f'v must be 0, 1 or 2, but is {keypoints[2::3]}')


def _is_id(value: Any) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _are_numbers(value: Any, count: int) -> bool:
    """Return whether a value is a list of this many pixel coordinates."""
    return isinstance(value, list) and len(value) == count and all(
        _is_finite(number) and abs(number) < _LARGEST for number in value)


def _is_finite(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and abs(value) <= sys.float_info.max)  # NaN: no
