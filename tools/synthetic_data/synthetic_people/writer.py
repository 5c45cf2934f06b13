"""Writes synthetic people as a data set in the files of MPII.

They are ``annotations/mpii_train.json`` and ``mpii_val.json`` (1-based pixels;
joints outside the image are -1, -1 with ``joints_vis`` 0),
``annotations/mpii_gt_val.mat`` (head boxes) and ``images/``, with one person
each.
"""
import json
from pathlib import Path

import numpy as np
from scipy.io import savemat
from synthetic import Job, SyntheticDataset, write_jpeg

from hourglass_plugin.skeletons import MPII
from synthetic_people.sample import make_sample

#: Joint names of MPII's evaluation file, in its order.
_MAT_NAMES = ('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
              'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri')


def _write_image(job: Job) -> tuple[dict, np.ndarray]:
    """Write one image; return its annotation and head box, 1-based."""
    sample = make_sample(job.settings.seed, job.split, job.index)
    write_jpeg(job.folder / job.name, sample.image, job.settings.quality)
    joints = np.where(sample.annotated[:, None],
                      np.round(sample.joints + 1, 2), -1.0)
    return dict(
        image=job.name,
        center=np.round(sample.center + 1, 2).tolist(),
        scale=round(sample.scale, 4),
        joints=joints.tolist(),
        joints_vis=sample.annotated.astype(int).tolist()), sample.head + 1


def _write_annotations(folder: Path, drawn: dict[str, list]) -> None:
    for split, people in drawn.items():
        (folder / f'mpii_{split}.json').write_text(
            json.dumps([entry for entry, _ in people]), encoding='utf-8')
    _write_head_boxes(folder / 'mpii_gt_val.mat',
                      [entry for entry, _ in drawn['val']],
                      np.stack([head for _, head in drawn['val']]))


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


_DATA_SET = SyntheticDataset(
    generator='hourglass_plugin synthetic people',
    version=1,
    annotations=('annotations/mpii_train.json', 'annotations/mpii_val.json',
                 'annotations/mpii_gt_val.mat'),
    write_image=_write_image,
    write_annotations=_write_annotations)
is_complete = _DATA_SET.is_complete
write_data_set = _DATA_SET.write
