"""Writes synthetic people as a data set in the files of MPII."""
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Union

import numpy as np
from scipy.io import savemat

from hourglass_plugin.skeletons import MPII

from ..drawn_data_set import SPLITS, Files, Settings, map_in_order, write_jpeg
from .sample import make_sample

_FILES = Files(
    generator='hourglass_plugin synthetic people',
    version=1,
    annotations=('annotations/mpii_train.json', 'annotations/mpii_val.json',
                 'annotations/mpii_gt_val.mat'))

#: Joint names of MPII's evaluation file, in its order.
_MAT_NAMES = ('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
              'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri')


def is_complete(folder: Union[str, Path], settings: Settings) -> bool:
    """Whether a folder holds the whole data set of these settings."""
    return _FILES.are_complete(folder, settings)


def write_data_set(folder: Union[str, Path],
                   settings: Settings,
                   num_workers: int = 1,
                   force: bool = False) -> Iterator[int]:
    """Write a data set, counting the images on the way.

    The files are those of MPII: ``annotations/mpii_train.json`` and
    ``mpii_val.json`` (1-based pixels; joints outside the image are -1, -1
    with ``joints_vis`` 0), ``annotations/mpii_gt_val.mat`` (head boxes) and
    ``images/``.

    Args:
        folder: where to; replaced if it holds a data set of this generator
            that is damaged.
        settings: what to draw; one person per image.
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
        people: dict[str, list[dict]] = {split: [] for split in SPLITS}
        heads = []
        for done, (job, (entry, head)) in enumerate(
                zip(jobs, map_in_order(_write_image, jobs, num_workers)), 1):
            people[job[2]].append(entry)
            if job[2] == 'val':
                heads.append(head)
            yield done
        for split, entries in people.items():
            path = unfinished / 'annotations' / f'mpii_{split}.json'
            path.write_text(json.dumps(entries), encoding='utf-8')
        _write_head_boxes(unfinished / 'annotations' / 'mpii_gt_val.mat',
                          people['val'], np.stack(heads))


def _write_image(
        job: tuple[Path, Settings, str, int]) -> tuple[dict, np.ndarray]:
    """Write one image; return its annotation and head box, 1-based."""
    folder, settings, split, index = job
    sample = make_sample(settings.seed, split, index)
    name = f'{split}_{index:06d}.jpg'
    write_jpeg(folder / name, sample.image, settings.quality)
    joints = np.where(sample.annotated[:, None],
                      np.round(sample.joints + 1, 2), -1.0)
    return dict(
        image=name,
        center=np.round(sample.center + 1, 2).tolist(),
        scale=round(sample.scale, 4),
        joints=joints.tolist(),
        joints_vis=sample.annotated.astype(int).tolist()), sample.head + 1


def _write_head_boxes(path: Path, people: list[dict],
                      heads: np.ndarray) -> None:
    """The arrays of MPII's ``mpii_gt_val.mat``; missing joints are 0, 0."""
    annotated = np.array([entry['joints_vis'] for entry in people])  # (N, 16)
    joints = np.array([entry['joints'] for entry in people])  # (N, 16, 2)
    names = np.empty((1, MPII.num_keypoints), object)
    names[0] = _MAT_NAMES
    savemat(
        str(path),
        dict(
            headboxes_src=np.moveaxis(heads.reshape(-1, 2, 2), 0, 2),
            pos_gt_src=np.moveaxis(
                np.where(annotated[..., None] > 0, joints, 0.0), 0, 2),
            jnt_missing=(annotated == 0).T.astype(np.uint8),
            dataset_joints=names))
