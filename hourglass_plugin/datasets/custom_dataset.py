"""Custom keypoints in COCO's format, checked before they are used."""
import copy
import logging
import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import mmpose
import numpy as np
from mmengine.config import Config
from mmengine.logging import MessageHub, print_log
from mmpose.registry import DATASETS

from .coco_file import CocoContent, read_coco_file
from .corrupt_images import SkipCorruptImagesDataset

# The side in a keypoint's name: left_ear, EarLeft, L_ear, earL, ear-l.
_SIDE = re.compile('[Ll]eft|LEFT|[Rr]ight|RIGHT|'
                   '(?<![A-Za-z])[LlRr](?![a-z])|(?<=[a-z])[LR](?![A-Za-z])')
_OTHER_SIDE = dict(left='right', Left='Right', LEFT='RIGHT', l='r', L='R')
_OTHER_SIDE.update({right: left for left, right in _OTHER_SIDE.items()})


@DATASETS.register_module()
class CustomKeypointDataset(SkipCorruptImagesDataset):
    """Any keypoints in a COCO-style JSON file; see docs/custom_dataset.md.

    The records are those of MMPose's ``CocoDataset``, of the entries that
    :func:`~.coco_file.read_coco_file` checks and completes. Where the file has
    both of COCO's marks, hidden and visible, ``raw_ann_info.visible`` is (K,)
    bool. ``annotated_size`` is the image's width and height, to which MMPose
    cuts the boxes; ``TopdownCrop`` rejects other images. MMPose's
    ``CocoMetric`` without ``ann_file`` evaluates against these entries.

    Args:
        category: name or id, or several, of the categories to read; default:
            those that have the config's keypoints.
        box_margin: of boxes that are made from keypoints, in larger sides of
            their extent.
        metainfo: ``dataset_name``, ``keypoint_info``, ``skeleton_info``,
            ``joint_weights`` and ``sigmas`` in MMPose's form, or
            ``from_file``. A ``swap`` that is missing is found from names such
            as ``left_ear`` and ``right_ear``.
        arguments: those of mmengine's ``BaseDataset``; and ``skip_corrupt``,
            see :class:`.corrupt_images.SkipCorruptImagesDataset`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if ``metainfo`` or the file is wrong; names the place.
    """

    def __init__(self, *arguments: Any,
                 category: str | int | list | None = None,
                 box_margin: float = 0.2, **named_arguments: Any) -> None:
        self.category = category
        self.box_margin = box_margin
        super().__init__(*arguments, **named_arguments)
        if self.test_mode and not self.bbox_file:
            # From this MMPose's CocoMetric would read the file as it is.
            MessageHub.get_current_instance().update_info(
                f'{self.metainfo["dataset_name"]}_ann_file', None)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        return super()._load_metainfo(read_metainfo(metainfo or {}))

    def read_content(self) -> CocoContent:
        """Read the annotation file."""
        names = self._metainfo['keypoint_id2name']
        return read_coco_file(
            self.ann_file, [names[index] for index in range(len(names))],
            self.data_prefix['img'], self.category, self.box_margin)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        self._content = self.read_content()
        self._metainfo['CLASSES'] = self._content.categories
        for note in self._content.notes:
            print_log(f'{self.ann_file}: {note}', 'current', logging.WARNING)
        of_image = defaultdict(list)
        for annotation in self._content.annotations:
            of_image[annotation['image_id']].append(annotation)
        images = [
            dict(image, img_id=image['id'], img_path=os.path.join(
                self.data_prefix['img'], image['file_name']))
            for image in self._content.images
            if image['id'] % self.sample_interval == 0]
        records = []
        for image in images:
            for annotation in of_image[image['id']]:
                record = self.parse_data_info(
                    dict(raw_ann_info=annotation, raw_img_info=image))
                record['annotated_size'] = image['width'], image['height']
                records.append(record)
        return records, images

    @staticmethod
    def _is_valid_instance(data_info: dict) -> bool:
        left, top, right, bottom = data_info['bbox'][0]
        return bool(data_info['num_keypoints'] and right > left
                    and bottom > top)

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        records = super()._get_topdown_data_infos(instance_list)
        total = self._content.total
        if not records:
            raise ValueError(
                f'{self.ann_file}: none of the {total} annotations can be '
                f'used: {"; ".join(self._content.notes)}')
        if len(records) < total:
            print_log(f'{self.ann_file}: {len(records)} of {total} '
                      'annotations are used', 'current')
        del self._content
        annotations = [record['raw_ann_info'] for record in records]
        marks = np.array([each['keypoints'][2::3] for each in annotations])
        if (marks == 1).any() and (marks == 2).any():
            for annotation, visible in zip(annotations, marks == 2):
                annotation['visible'] = visible
        return records


def read_metainfo(metainfo: dict) -> dict:
    """Return the metainfo in the config or its ``from_file``, completed.

    Raises:
        FileNotFoundError: if there is no such file, in the current folder or,
            of this name, in MMPose.
        ValueError: as :func:`check_metainfo`.
    """
    if 'from_file' in metainfo:
        path = metainfo['from_file']
        mmposes = Path(mmpose.__file__).with_name('.mim').joinpath(
            'configs', '_base_', 'datasets', os.path.basename(path))
        if mmposes.is_file() and not os.path.isfile(path):
            path = str(mmposes)
        metainfo = Config.fromfile(path).dataset_info
    metainfo = copy.deepcopy(dict(metainfo))
    points = metainfo.get('keypoint_info') or {}
    by_name = {str(point.get('name')): point for point in points.values()}
    found = []
    for name, point in by_name.items():
        other = _SIDE.sub(lambda side: _OTHER_SIDE[side[0]], name)
        if other == name or point.get('swap'):
            continue
        if other in by_name and (
                by_name[other].get('swap') or name) == name:
            point['swap'] = other
            found.append(name)
        elif other not in by_name:
            print_log(f'metainfo: {name!r} has no swap, and there is no '
                      f'{other!r}: in flipped images it is learnt on the '
                      'other side', 'current', logging.WARNING)
    if found:
        print_log(f'metainfo: swap of {", ".join(found)} is set from the '
                  'names; to keep one in flipped images, set its own name as '
                  'swap', 'current')
    check_metainfo(metainfo)
    return metainfo


def check_metainfo(metainfo: dict) -> None:
    """Reject keypoints that MMPose would mix up or not understand.

    Raises:
        ValueError: naming the keypoint or link.
    """
    missing = {'dataset_name', 'keypoint_info', 'skeleton_info',
               'joint_weights', 'sigmas'} - set(metainfo)
    if missing:
        raise ValueError(f'metainfo lacks {", ".join(sorted(missing))}')
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
