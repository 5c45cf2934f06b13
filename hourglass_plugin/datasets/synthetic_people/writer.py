"""Writes synthetic people as a data set in the files of MPII."""
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, TypeVar, Union

import cv2
import numpy as np
from scipy.io import savemat

from hourglass_plugin.skeletons import MPII

from .sample import SPLITS, make_sample

Result = TypeVar('Result')

#: Raised when the same settings give other files than before.
VERSION = 1
SETTINGS_FILE = 'settings.json'

_ANNOTATION_FILES = ('annotations/mpii_train.json',
                     'annotations/mpii_val.json',
                     'annotations/mpii_gt_val.mat')

#: Joint names of MPII's evaluation file, in its order.
_MAT_NAMES = ('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
              'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri')


@dataclass(frozen=True)
class Settings:
    """What a data set depends on.

    Args:
        num_train: number of people to train on, one per image.
        num_val: number of people to validate on.
        seed: other seeds draw other people.
        quality: of the JPEGs, 1 to 100.

    Raises:
        ValueError: if a number is out of range.
    """

    num_train: int = 3000
    num_val: int = 400
    seed: int = 0
    quality: int = 90

    def __post_init__(self) -> None:
        if self.num_train < 1 or self.num_val < 1 or self.seed < 0:
            raise ValueError(
                'num_train and num_val must be at least 1 and seed not '
                f'negative, got {self}')
        if not 1 <= self.quality <= 100:
            raise ValueError(f'quality must be 1 to 100, got {self.quality}')


def is_complete(folder: Union[str, Path], settings: Settings) -> bool:
    """Whether a folder holds the whole data set of these settings."""
    folder = Path(folder)
    wanted = settings.num_train + settings.num_val
    return (_read_settings(folder) == _record(settings) and all(
        (folder / name).is_file() for name in _ANNOTATION_FILES)
            and len(list((folder / 'images').glob('*.jpg'))) == wanted)


def write_data_set(folder: Union[str, Path],
                   settings: Settings,
                   num_workers: int = 1,
                   force: bool = False) -> Iterator[int]:
    """Write a data set, counting the images on the way.

    The files are those of MPII: ``annotations/mpii_train.json`` and
    ``mpii_val.json`` (1-based pixels; joints outside the image are -1, -1
    with ``joints_vis`` 0), ``annotations/mpii_gt_val.mat`` (head boxes) and
    ``images/``. They are written beside the folder and moved there at the
    end, so an interrupted run leaves nothing that looks finished.

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
    folder = Path(folder)
    _check_replaceable(folder, settings, force)
    unfinished = folder.with_name(folder.name + '.unfinished')
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / 'images').mkdir(parents=True)
    (unfinished / 'annotations').mkdir()

    jobs = [
        (unfinished / 'images', settings, split, index)
        for split, count in zip(SPLITS, (settings.num_train, settings.num_val))
        for index in range(count)
    ]
    people: dict[str, list[dict]] = {split: [] for split in SPLITS}
    heads = []
    for done, (job, (entry, head)) in enumerate(
            zip(jobs, _map(_write_image, jobs, num_workers)), 1):
        people[job[2]].append(entry)
        if job[2] == 'val':
            heads.append(head)
        yield done
    for split, entries in people.items():
        path = unfinished / 'annotations' / f'mpii_{split}.json'
        path.write_text(json.dumps(entries), encoding='utf-8')
    _write_head_boxes(unfinished / 'annotations' / 'mpii_gt_val.mat',
                      people['val'], np.stack(heads))
    (unfinished / SETTINGS_FILE).write_text(
        json.dumps(_record(settings), indent=2) + '\n', encoding='utf-8')
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)


def _record(settings: Settings) -> dict:
    return dict(
        generator='hourglass_plugin synthetic people',
        version=VERSION,
        **asdict(settings))


def _read_settings(folder: Path) -> dict:
    """What a settings file says, {} if there is none that can be read."""
    try:
        record = json.loads((folder / SETTINGS_FILE).read_text('utf-8'))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _check_replaceable(folder: Path, settings: Settings, force: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    record = _read_settings(folder)
    wanted = _record(settings)
    if record.get('generator') != wanted['generator']:
        raise FileExistsError(
            f'{folder} exists and was not written by this generator; choose '
            'another folder or remove it yourself')
    if record != wanted and not force:
        told = ', '.join(f'{name} {record.get(name)} instead of {value}'
                         for name, value in wanted.items()
                         if record.get(name) != value)
        raise FileExistsError(
            f'{folder} holds a data set of other settings ({told}); replace '
            'it with --force (force=True) or choose another folder')


def _map(function: Callable[[Any], Result], jobs: list,
         num_workers: int) -> Iterator[Result]:
    """Results in the order of the jobs."""
    if num_workers <= 1:
        yield from map(function, jobs)
        return
    with multiprocessing.Pool(num_workers, _use_one_thread) as pool:
        yield from pool.imap(function, jobs, chunksize=8)


def _use_one_thread() -> None:
    cv2.setNumThreads(1)


def _write_image(
        job: tuple[Path, Settings, str, int]) -> tuple[dict, np.ndarray]:
    """Write one image; return its annotation and head box, 1-based."""
    folder, settings, split, index = job
    sample = make_sample(settings.seed, split, index)
    name = f'{split}_{index:06d}.jpg'
    done, data = cv2.imencode('.jpg', sample.image,
                              [cv2.IMWRITE_JPEG_QUALITY, settings.quality])
    if not done:
        raise OSError(f'OpenCV cannot encode {name} as JPEG')
    (folder / name).write_bytes(data.tobytes())
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


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
