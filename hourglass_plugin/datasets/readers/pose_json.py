"""JSON lists of people, as HRNet and MMPose use them for MPII.

Each entry has ``image``, ``center`` [x, y], ``scale`` (size / 200 px),
``joints`` K x [x, y] and ``joints_vis`` K x 0 or 1, which says whether a joint
is annotated, not whether it is visible. What ``tools/prepare_*.py`` write may
also have ``joints_visible`` K x 0 or 1, ``head_size`` and ``torso_size`` in
pixels, and ``official_index`` [image, person] from 0. Files of test people
have no ``joints`` and no ``joints_vis`` at all.
"""
import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ...skeletons import Skeleton
from .person import Person, check_person

_NEEDED = ('image', 'center', 'scale', 'joints', 'joints_vis')


def load_json(path: Union[str, Path]) -> Any:
    """The content of a JSON file, which may be compressed (``.gz``).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    try:
        content = path.read_bytes()
        if path.suffix == '.gz':
            content = gzip.decompress(content)
        return json.loads(content.decode('utf-8'))
    except (OSError, EOFError, ValueError, RecursionError,
            zlib.error) as error:
        raise ValueError(f'{path} is not a JSON file: {error}') from error


def read_pose_json(path: Union[str, Path], skeleton: Skeleton,
                   first_pixel: int) -> list[Person]:
    """Read such a list.

    Args:
        path: the file.
        skeleton: whose joints, in order.
        first_pixel: number of the first pixel in the file, 1 (MATLAB's
            convention, MPII) or 0.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a list; names the entry.
    """
    return pose_json_people(load_json(path), path, skeleton, first_pixel)


def pose_json_people(entries: Any, path: Union[str, Path], skeleton: Skeleton,
                     first_pixel: int) -> list[Person]:
    """The same from the file's content, as :func:`load_json` returns it."""
    if not isinstance(entries, list):
        raise ValueError(f'{path} must hold a list of people, but holds a '
                         f'{type(entries).__name__}')
    annotated = any('joints' in entry for entry in entries
                    if isinstance(entry, dict))
    people = []
    for index, entry in enumerate(entries):
        where = f'{path}, entry {index}'
        if not isinstance(entry, dict):
            raise ValueError(f'{where} must be an object, but is a '
                             f'{type(entry).__name__}')
        try:
            if not annotated:
                count = skeleton.num_keypoints
                entry = dict(
                    entry, joints=[[-1, -1]] * count, joints_vis=[0] * count)
            person = _person(entry, first_pixel)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f'{where}: {type(error).__name__}: {error}; an entry needs '
                f'{", ".join(_NEEDED)}') from error
        people.append(check_person(person, skeleton, where))
    return people


def _person(entry: dict, first_pixel: int) -> Person:
    """One entry as it stands, in 0-based pixels."""
    visible = entry.get('joints_visible')
    head_size, torso_size = entry.get('head_size'), entry.get('torso_size')
    return Person(
        image=entry['image'],
        center=np.asarray(entry['center'], np.float32) - first_pixel,
        scale=_number(entry, 'scale'),
        keypoints=np.asarray(entry['joints'], np.float32) - first_pixel,
        annotated=_marks(entry, 'joints_vis'),
        visible=None if visible is None else _marks(entry, 'joints_visible'),
        head_size=None if head_size is None else _number(entry, 'head_size'),
        torso_size=None
        if torso_size is None else _number(entry, 'torso_size'),
        official_index=_official_index(entry.get('official_index')))


def _number(entry: dict, name: str) -> float:
    value = entry[name]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f'{name} must be a number, but is {value!r}')
    return float(value)


def _marks(entry: dict, name: str) -> np.ndarray:
    """(K,) bool from a list of 0 and 1."""
    marks = entry[name]
    if not isinstance(marks, list):
        raise ValueError(f'{name} must be a list, but is {marks!r}')
    for joint, mark in enumerate(marks):
        if mark not in (0, 1):
            raise ValueError(f'{name} must be 0 or 1, but is {mark!r} for '
                             f'joint {joint}')
    return np.array(marks, bool)


def _official_index(index: Any) -> Optional[tuple[int, int]]:
    if index is None:
        return None
    if not (isinstance(index, list) and len(index) == 2
            and all(isinstance(number, int) for number in index)):
        raise ValueError('official_index must be two whole numbers, but is '
                         f'{index!r}')
    return index[0], index[1]


def pose_json_entries(people: Sequence[Person],
                      first_pixel: int) -> list[dict]:
    """What :func:`read_pose_json` reads back as these people.

    Coordinates are rounded to a thousandth of a pixel.
    """
    entries = []
    for person in people:
        keypoints = np.where(person.annotated[:, None],
                             person.keypoints + np.float64(first_pixel), -1)
        entry = dict(
            image=person.image,
            center=np.round(person.center + np.float64(first_pixel),
                            3).tolist(),
            scale=round(person.scale, 6),
            joints=np.round(keypoints, 3).tolist(),
            joints_vis=person.annotated.astype(int).tolist())
        if person.visible is not None:
            entry['joints_visible'] = person.visible.astype(int).tolist()
        for name in ('head_size', 'torso_size'):
            if getattr(person, name) is not None:
                entry[name] = round(getattr(person, name), 6)
        if person.official_index is not None:
            entry['official_index'] = list(person.official_index)
        entries.append(entry)
    return entries
