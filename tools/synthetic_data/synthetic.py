"""What generators of drawn data sets share: settings, processes, folders.

A data set is written beside its folder and takes its name when it is
complete, so an interrupted run leaves nothing that looks finished.
"""
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, TypeVar, Union

import cv2
import numpy as np

_Result = TypeVar('_Result')

#: Parts of a data set; each has its own pictures.
SPLITS = ('train', 'val')
SETTINGS_FILE = 'settings.json'


@dataclass(frozen=True)
class Settings:
    """What a data set depends on.

    Args:
        num_train: number of images to train on.
        num_val: number of images to validate on.
        seed: other seeds draw other pictures.
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

    @property
    def images(self) -> list[tuple[str, int]]:
        """Split and number within it of every image."""
        return [(split, index)
                for split, count in zip(SPLITS, (self.num_train, self.num_val))
                for index in range(count)]


def image_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """The random numbers of one image, whatever was drawn before.

    Args:
        seed: of the whole data set, not negative.
        split: ``'train'`` or ``'val'``.
        index: number of the image within the split, not negative.

    Raises:
        ValueError: if an argument is out of range.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    if seed < 0 or index < 0:
        raise ValueError('seed and index must not be negative, got '
                         f'seed={seed}, index={index}')
    return np.random.default_rng([seed, SPLITS.index(split), index])


@dataclass(frozen=True)
class Job:
    """One image to be drawn, by any process."""

    folder: Path  #: of the images
    settings: Settings
    split: str
    index: int  #: within the split

    @property
    def name(self) -> str:
        """The image's file name."""
        return f'{self.split}_{self.index:06d}.jpg'


@dataclass(frozen=True)
class SyntheticDataset:
    """A generator's data set: what is in its folders, and how it gets there.

    Args:
        generator: its name, by which its folders are known.
        version: raised when the same settings give other files than before.
        annotations: annotation files, relative to the folder.
        write_image: draws an image into its file and returns what the
            annotations need; called in processes of their own.
        write_annotations: writes the annotation files of a folder, given for
            each split what ``write_image`` returned, in order.
    """

    generator: str
    version: int
    annotations: Sequence[str]
    write_image: Callable[[Job], Any]
    write_annotations: Callable[[Path, dict[str, list]], None]

    def record(self, settings: Settings) -> dict[str, Any]:
        """What the settings file of a data set says."""
        return dict(
            generator=self.generator, version=self.version, **asdict(settings))

    def is_complete(self, folder: Union[str, Path],
                    settings: Settings) -> bool:
        """Whether a folder holds the whole data set of these settings."""
        folder = Path(folder)
        return (_read_settings(folder) == self.record(settings) and all(
            (folder / name).is_file() for name in self.annotations)
                and len(list((folder / 'images').glob('*.jpg'))) == len(
                    settings.images))

    def write(self,
              folder: Union[str, Path],
              settings: Settings,
              num_workers: int = 1,
              force: bool = False) -> Iterator[int]:
        """Write a data set, counting the images on the way.

        Args:
            folder: where to; replaced if it holds a data set of this
                generator that is damaged.
            settings: what to draw.
            num_workers: processes that draw; the result does not depend on
                it.
            force: also replace a whole data set of other settings.

        Yields:
            The number of images written so far. Draw the iterator to its end.

        Raises:
            FileExistsError: if the folder holds something else, or, without
                ``force``, a data set of other settings.
        """
        folder = Path(folder)
        record = self.record(settings)
        _check_replaceable(folder, record, force)
        unfinished = folder.with_name(folder.name + '.unfinished')
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in ('images', 'annotations'):
            (unfinished / name).mkdir(parents=True)
        jobs = [
            Job(unfinished / 'images', settings, split, index)
            for split, index in settings.images
        ]
        drawn: dict[str, list] = {split: [] for split in SPLITS}
        results = _map_in_order(self.write_image, jobs, num_workers)
        # Results first, or zip would leave the processes waiting at the end.
        for done, (result, job) in enumerate(zip(results, jobs), 1):
            drawn[job.split].append(result)
            yield done
        self.write_annotations(unfinished / 'annotations', drawn)
        (unfinished / SETTINGS_FILE).write_text(
            json.dumps(record, indent=2) + '\n', encoding='utf-8')
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)


def _read_settings(folder: Path) -> dict[str, Any]:
    """What a settings file says, {} if there is none that can be read."""
    try:
        record = json.loads((folder / SETTINGS_FILE).read_text('utf-8'))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _check_replaceable(folder: Path, wanted: dict[str, Any],
                       force: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    record = _read_settings(folder)
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


def _map_in_order(function: Callable[[Any], _Result], jobs: list,
                  num_workers: int) -> Iterator[_Result]:
    """Results in the order of the jobs, whichever process is first."""
    if num_workers <= 1:
        yield from map(function, jobs)
        return
    # Threads of OpenCV do not survive a fork, and their number, which loaders
    # and mmengine set, could then not be changed without waiting for them.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with multiprocessing.Pool(num_workers) as pool:
            yield from pool.imap(function, jobs, chunksize=8)
    finally:
        cv2.setNumThreads(threads)


def write_jpeg(path: Path, image: np.ndarray, quality: int) -> None:
    """Write (H, W, 3) uint8 BGR.

    Raises:
        OSError: if OpenCV cannot encode it.
    """
    done, data = cv2.imencode('.jpg', image,
                              [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise OSError(f'OpenCV cannot encode {path.name} as JPEG')
    path.write_bytes(data.tobytes())


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
