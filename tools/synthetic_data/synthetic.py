"""Write drawn datasets: settings, random numbers, processes, folders.

A dataset is written beside its folder and takes its name when it is complete,
so an interrupted run leaves nothing that looks finished.
"""
import functools
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SPLITS = ('train', 'val')  #: parts of a dataset, of images of their own

# From seed, split and index to an image, (H, W, 3) uint8 BGR, and annotation.
_Draw = Callable[[int, str, int], tuple[np.ndarray, dict]]


@dataclass(frozen=True)
class Settings:
    """The numbers that decide every byte of a dataset.

    Raises:
        ValueError: if a number is out of range.
    """

    num_train: int  #: training images
    num_val: int  #: validation images
    seed: int = 0  #: not negative; other seeds draw other images

    def __post_init__(self) -> None:
        if self.num_train < 1 or self.num_val < 1 or self.seed < 0:
            raise ValueError(
                'num_train and num_val must be at least 1 and seed not '
                f'negative, got {self}')

    @property
    def images(self) -> list[tuple[str, int]]:
        """Split and number within it of every image."""
        return [(split, index)
                for split, count in zip(SPLITS, (self.num_train, self.num_val))
                for index in range(count)]


def image_rng(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the random numbers of one image, whatever was drawn before.

    Raises:
        ValueError: if the split is unknown or a number is negative.
    """
    return np.random.default_rng([seed, SPLITS.index(split), index])


def image_name(split: str, index: int) -> str:
    """Return an image's file name."""
    return f'{split}_{index:06d}.jpg'


@dataclass(frozen=True)
class SyntheticDataset:
    """A generator of datasets."""

    generator: str  #: name and version, by which its folders are known
    annotations: Sequence[str]  #: names of the annotation files
    draw: _Draw
    #: writes them into a folder, given the annotations of each split in order
    write_annotations: Callable[[Path, dict[str, list[dict]]], None]

    def _record(self, settings: Settings) -> dict[str, Any]:
        return dict(generator=self.generator, **asdict(settings))

    def is_complete(self, folder: str | Path, settings: Settings) -> bool:
        """Return True if a folder holds the whole dataset of the settings."""
        paths = [Path('annotations', name) for name in self.annotations]
        paths += [Path('images', image_name(*i)) for i in settings.images]
        return (_read_record(Path(folder)) == self._record(settings)
                and all(Path(folder, path).is_file() for path in paths))

    def write(self,
              folder: str | Path,
              settings: Settings,
              num_workers: int = 1,
              force: bool = False) -> Iterator[int]:
        """Write a dataset, counting the images on the way.

        Args:
            folder: replaced if it holds a damaged dataset of the settings.
            settings: of the dataset.
            num_workers: processes that draw; the files do not depend on it.
            force: also replace a dataset of other settings.

        Yields:
            The number of images written so far, up to the last.

        Raises:
            FileExistsError: if the folder holds something else.
        """
        folder = Path(folder)
        record = self._record(settings)
        _check_replaceable(folder, record, force)
        unfinished = folder.with_name(folder.name + '.unfinished')
        shutil.rmtree(unfinished, ignore_errors=True)
        for name in ('images', 'annotations'):
            (unfinished / name).mkdir(parents=True)
        write_image = functools.partial(_write_image, self.draw,
                                        unfinished / 'images', settings.seed)
        drawn: dict[str, list[dict]] = {split: [] for split in SPLITS}
        annotations = _in_order(write_image, settings.images, num_workers)
        for done, annotation in enumerate(annotations):
            drawn[settings.images[done][0]].append(annotation)
            yield done + 1
        self.write_annotations(unfinished / 'annotations', drawn)
        (unfinished / 'settings.json').write_text(json.dumps(record))
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)


def _write_image(draw: _Draw, folder: Path, seed: int,
                 image: tuple[str, int]) -> dict:
    """Draw one image into its JPEG file; return its annotation."""
    pixels, annotation = draw(seed, *image)
    _, data = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    (folder / image_name(*image)).write_bytes(data.tobytes())
    return annotation


def _in_order(function: Callable[[Any], dict], items: list,
              num_workers: int) -> Iterator[dict]:
    """Yield results in the order of the items, whichever process is first."""
    if num_workers == 1:
        yield from map(function, items)
        return
    # New processes: threads of OpenCV do not survive a fork.
    with multiprocessing.get_context('spawn').Pool(num_workers) as pool:
        yield from pool.imap(function, items, chunksize=8)


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / 'settings.json'
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}


def _check_replaceable(folder: Path, wanted: dict, force: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    record = _read_record(folder)
    if record.get('generator') != wanted['generator']:
        raise FileExistsError(f'{folder} was not written by this generator; '
                              'choose another folder or remove it yourself')
    if record != wanted and not force:
        raise FileExistsError(f'{folder} has other settings, {record}; replace'
                              ' it with --force or choose another folder')
