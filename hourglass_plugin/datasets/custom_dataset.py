"""Keypoints of one's own in COCO's format, checked before they are used."""
import contextlib
import io
import sys
from typing import Any, Optional

import numpy as np
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from .corrupt_images import SkipCorruptImagesDataset
from .image_names import check_image_name
from .readers.pose_json import load_json

#: Pixels; float32, in which MMPose computes, knows no parts of larger ones.
_LARGEST = 1e7

_IMAGE_NEEDS = ('id', 'file_name', 'width', 'height')
_ANNOTATION_NEEDS = ('id', 'image_id', 'category_id', 'bbox')


@DATASETS.register_module()
class CustomKeypointDataset(SkipCorruptImagesDataset):
    """Any keypoints in a COCO-style JSON file; see docs/custom_dataset.md.

    The records are those of MMPose's ``CocoDataset``, which drops annotations
    without keypoints, crowds and empty boxes without a word, and does not
    check that ``metainfo`` and file belong together. Here both are checked,
    and what is dropped is counted in the log. Where the file has both of
    COCO's marks, hidden and seen, ``raw_ann_info.visible`` says which.
    ``annotated_size`` is the image's width and height as the file has them,
    to which MMPose cuts the boxes; ``TopdownCrop`` refuses other images.

    Args:
        metainfo: ``dataset_name``, ``keypoint_info``, ``skeleton_info``,
            ``joint_weights`` and ``sigmas`` in MMPose's form.
        arguments: those of mmengine's ``BaseDataset``: ``ann_file``,
            ``data_root``, ``data_prefix=dict(img=...)``, ``pipeline``,
            ``test_mode``, ``indices``, ...; and ``unreadable``, see
            :class:`.corrupt_images.SkipCorruptImagesDataset`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if ``metainfo`` or the file is wrong; names the place.
    """

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        check_metainfo(metainfo or {})
        return super()._load_metainfo(metainfo)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        check_coco_file(self.ann_file, self._metainfo['num_keypoints'],
                        self.data_prefix['img'])
        with contextlib.redirect_stdout(io.StringIO()):  # COCO's four lines
            return super()._load_annotations()

    def parse_data_info(self, raw_data_info: dict) -> Optional[dict]:
        """MMPose's record, with ``annotated_size``."""
        record = super().parse_data_info(raw_data_info)
        if record is not None:
            image = raw_data_info['raw_img_info']
            record['annotated_size'] = image['width'], image['height']
        return record

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        records = super()._get_topdown_data_infos(instance_list)
        total = len(self.coco.dataset['annotations'])
        if not records:
            raise ValueError(
                f'{self.ann_file}: none of the {total} annotations can be '
                'used; one needs a box with an area, a keypoint with v > 0, '
                'and no iscrowd')
        if len(records) < total:
            print_log(
                f'{self.ann_file}: {len(records)} of {total} annotations are '
                'used; the others have no keypoints, an empty box or iscrowd',
                logger='current')
        _tell_visible(records)
        return records


def _tell_visible(records: list[dict]) -> None:
    """Add ``raw_ann_info.visible``, (K,) bool, where the file tells it.

    COCO's v is 1 for a keypoint that is hidden and 2 for one that is seen;
    many files have only one of the two, for all that are annotated.
    """
    marks = [
        np.array(record['raw_ann_info']['keypoints'])[2::3]
        for record in records
    ]
    if {1, 2} <= set(np.concatenate(marks).tolist()):
        for record, visible in zip(records, marks):
            record['raw_ann_info']['visible'] = visible > 1


def check_metainfo(metainfo: dict) -> None:
    """Refuse keypoints that MMPose would mix up or not understand.

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
            raise ValueError(
                f'keypoint {name!r} becomes {swap!r} in the mirrored image, '
                f'but {swap!r} becomes {swaps[swap]!r}: give both their swap')
    for index, limb in metainfo['skeleton_info'].items():
        link = tuple(limb.get('link', ()))
        if len(link) != 2 or not set(link) <= set(swaps):
            raise ValueError(f'skeleton_info {index} must link two of '
                             f'{", ".join(swaps)}, but links {link}')
    if len(metainfo['joint_weights']) != len(keypoints):
        raise ValueError(f'joint_weights are {len(metainfo["joint_weights"])} '
                         f'numbers for {len(keypoints)} keypoints')
    if len(metainfo['sigmas']) not in (0, len(keypoints)):
        raise ValueError(f'sigmas are {len(metainfo["sigmas"])} numbers for '
                         f'{len(keypoints)} keypoints')


def check_coco_file(path: str, num_keypoints: int, image_folder: str) -> None:
    """Refuse a COCO-style file that MMPose would misread or stumble over.

    Args:
        path: the JSON file.
        num_keypoints: how many keypoints an annotation has.
        image_folder: which the images lie in; see
            :func:`~hourglass_plugin.datasets.image_names.check_image_name`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is wrong; names the entry.
    """
    content = load_json(path)
    if str(path).endswith('.gz'):
        raise ValueError(f'{path}: COCO\'s own reader reads no compressed '
                         'files; unpack it')
    for part in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or not isinstance(
                content.get(part), list):
            raise ValueError(f'{path} must hold an object with the lists '
                             f'images, annotations and categories; {part} is '
                             'missing')
    _check_entries(content['images'], _IMAGE_NEEDS, f'{path}, images')
    _check_entries(content['annotations'], _ANNOTATION_NEEDS,
                   f'{path}, annotations')
    _check_entries(content['categories'], ('id', ), f'{path}, categories')
    for index, image in enumerate(content['images']):
        where = f'{path}, images[{index}]'
        check_image_name(image['file_name'], where, image_folder)
        if isinstance(image['id'], str):  # MMPose computes with it
            raise ValueError(f'{where}: the id must be a whole number, but is '
                             f'{image["id"]!r}')
        sides = [image['width'], image['height']]
        if not _are_numbers(sides, 2) or any(
                side <= 0 or side != int(side) for side in sides):
            raise ValueError(f'{where}: width and height must be positive '
                             f'whole numbers, but are {sides[0]!r} and '
                             f'{sides[1]!r}')
    images = {image['id']: image for image in content['images']}
    categories = {category['id'] for category in content['categories']}
    for index, annotation in enumerate(content['annotations']):
        where = f'{path}, annotations[{index}] (id {annotation["id"]!r})'
        for name, known in (('image', images), ('category', categories)):
            value = annotation[f'{name}_id']
            if not _is_id(value) or value not in known:
                raise ValueError(f'{where}: there is no {name} with the id '
                                 f'{value!r}')
        _check_annotation(annotation, images[annotation['image_id']],
                          num_keypoints, where)


def _check_annotation(annotation: dict, image: dict, num_keypoints: int,
                      where: str) -> None:
    """Refuse numbers that MMPose would misread or stumble over."""
    if annotation.get('iscrowd', 0) not in (0, 1):
        raise ValueError(f'{where}: iscrowd must be 0 or 1 or left out, but '
                         f'is {annotation["iscrowd"]!r}')
    for name in ('area', 'num_keypoints'):
        if name in annotation and not _is_finite(annotation[name]):
            raise ValueError(f'{where}: {name} must be a number or left '
                             f'out, but is {annotation[name]!r}')
    if not _are_numbers(annotation['bbox'], 4):
        raise ValueError(f'{where}: bbox must be [left, top, width, '
                         f'height], but is {annotation["bbox"]!r}')
    left, top, width, height = annotation['bbox']
    # MMPose cuts boxes to the centres of the outermost pixels, and leaves
    # out those of which nothing remains.
    if width > 0 and height > 0 and not (
            max(left, 0) < min(left + width, image['width'] - 1)
            and max(top, 0) < min(top + height, image['height'] - 1)):
        raise ValueError(
            f'{where}: the box {annotation["bbox"]} has no part in the image '
            f'{image["file_name"]!r}, {image["width"]} x {image["height"]} '
            'pixels; correct it, or take the annotation out')
    if 'keypoints' not in annotation:
        return
    keypoints = annotation['keypoints']
    if not _are_numbers(keypoints, 3 * num_keypoints):
        raise ValueError(
            f'{where}: keypoints must be x, y and v of each of the '
            f'{num_keypoints} keypoints of the config\'s metainfo, '
            f'{3 * num_keypoints} numbers, but are {keypoints!r}')
    for index, mark in enumerate(keypoints[2::3]):
        if mark not in (0, 1, 2):
            raise ValueError(
                f'{where}: v of keypoint {index} must be 0 (not annotated), '
                f'1 (hidden) or 2 (visible), but is {mark!r}')


def _check_entries(entries: list[Any], needed: tuple[str, ...],
                   where: str) -> None:
    """Refuse entries without what they need, or with an id of another."""
    ids = set()
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise ValueError(f'{where}[{index}] must be an object, but is '
                             f'{entry!r}')
        missing = [key for key in needed if key not in entry]
        if missing:
            raise ValueError(f'{where}[{index}] lacks {", ".join(missing)}')
        if not _is_id(entry['id']):
            raise ValueError(f'{where}[{index}]: the id must be a number or a '
                             f'text, but is {entry["id"]!r}')
        if entry['id'] in ids:
            raise ValueError(f'{where}[{index}]: the id {entry["id"]!r} is '
                             'there twice')
        ids.add(entry['id'])


def _is_id(value: Any) -> bool:
    """Whether a value is a number or a text that entries are known by."""
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _are_numbers(value: Any, count: int) -> bool:
    """Whether a value is a list of so many numbers of pixels."""
    if not isinstance(value, list) or len(value) != count:
        return False
    return all(
        _is_finite(number) and abs(number) < _LARGEST for number in value)


def _is_finite(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and abs(value) <= sys.float_info.max)  # NaN: no
