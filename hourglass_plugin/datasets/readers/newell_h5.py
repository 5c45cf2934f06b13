"""The ``.h5`` files of the paper's code, for MPII and FLIC.

One row per person in each of ``part`` (N, K, 2) joints, ``center`` (N, 2),
``scale`` (N,) and ``imgname`` (N,), all pixels counted from 1, and optionally
``visible`` (N, K), ``normalize`` (N,), ``index`` (N,) and ``person`` (N,).
Centre and scale are those of the crop: the code that wrote them has moved the
centre down and enlarged the scale (``src/misc/convert_annot.py`` of
pose-hg-train).
"""
from pathlib import Path
from typing import Any

import numpy as np

from ...skeletons import Skeleton
from .person import CROP_PADDING, Person, check_person, located

_NEEDED = ('part', 'center', 'scale', 'imgname')
_OPTIONAL = ('visible', 'normalize', 'index', 'person')


def read_newell_h5(path: str | Path, skeleton: Skeleton) -> list[Person]:
    """Read people in the file's order; FLIC's left and right are the file's.

    ``visible`` is 1 for a visible joint and 0 for an occluded or missing one
    (-1 where a person has no joints at all); a missing one stands at (0, 0),
    or at NaN. ``normalize`` is the head size (MPII) or the torso's (FLIC); 0
    and -1 mean that it is unknown.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file; names the row.
        ModuleNotFoundError: if h5py is not installed.
    """
    columns = _read_columns(Path(path))
    people = []
    for index, row in enumerate(zip(*columns.values())):
        with located(f'{path}, row {index}'):
            person = _person(dict(zip(columns, row)), skeleton)
            people.append(check_person(person, skeleton))
    return people


def _read_columns(path: Path) -> dict[str, np.ndarray]:
    """Return the columns, numbers as float64, image names of any type."""
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    import h5py  # only these files need it
    try:
        with h5py.File(str(path), 'r') as file:
            present = set(file)  # by name: a link may be dangling
            missing = sorted({*_NEEDED} - present)
            if missing:
                raise ValueError(f'it lacks {", ".join(missing)}')
            columns = {name: stored_array(file, name)
                       for name in _NEEDED + _OPTIONAL if name in present}
        for name in set(columns) - {'imgname'}:
            columns[name] = columns[name].astype(np.float64)
    except Exception as error:  # damage shows as nearly any exception
        raise ValueError(f"{path} is not an .h5 file of the paper's code: "
                         f'{error}') from error
    for name, column in columns.items():
        if column.shape[:1] != columns['part'].shape[:1] or not column.ndim:
            raise ValueError(
                f'{path}: {name} {column.shape} must have as many rows as '
                f'part {columns["part"].shape}, one for each person')
    return columns


def stored_array(file: Any, name: str) -> np.ndarray:
    """Return an array that an ``h5py.File`` stores itself.

    HDF5 can link to other files, and store or compose an array in others.

    Raises:
        ValueError: if it is not an array, or lies in another file.
    """
    import h5py
    array = file.get(name)
    if (not isinstance(file.get(name, getlink=True), h5py.HardLink)
            or not isinstance(array, h5py.Dataset) or array.external
            or array.is_virtual):
        raise ValueError(f'{name} must be an array in the file itself, not a '
                         'group or a link; copy the array into the file')
    try:
        return np.asarray(array[()])
    except MemoryError:
        raise ValueError(f'{name} of shape {array.shape} is larger than the '
                         'memory') from None


def _person(row: dict[str, Any], skeleton: Skeleton) -> Person:
    """Return the person of one row, by the columns' names."""
    part = row['part']  # (K, 2)
    missing = (part == 0).all(1) | np.isnan(part).all(1)  # (K,)
    visible = index = None
    if (marks := row.get('visible')) is not None:
        if not np.isin(marks, (-1, 0, 1)).all():
            raise ValueError('visible must be 0, 1 or -1')
        missing = (missing & (marks == 0)) | (marks < 0)
        visible = ~missing & (marks > 0)
    if 'index' in row and 'person' in row:
        position = float(row['index']), float(row['person'])
        if not all(part >= 0 and part.is_integer() for part in position):
            raise ValueError('index and person must be 0, 1, 2, ..., but are '
                             f'{position}')
        index = int(position[0]), int(position[1])
    length = float(row.get('normalize', 0))
    size = length if length > 0 else None  # None for NaN, too
    return Person(
        image=_text(row['imgname']), annotated=~missing, visible=visible,
        center=(row['center'] - 1).astype(np.float32),
        scale=float(row['scale']) / CROP_PADDING, official_index=index,
        keypoints=np.where(missing[:, None], -1, part - 1).astype(np.float32),
        head_size=None if skeleton.torso else size,
        torso_size=size if skeleton.torso else None)


def _text(name: np.ndarray | bytes | str) -> str:
    """Return a text from a text, bytes or zero-padded character codes."""
    if isinstance(name, np.ndarray):
        with np.errstate(invalid='ignore'):  # NaN, refused here
            codes = name.astype(np.uint8)
        if not np.array_equal(codes, name):
            raise ValueError(f'imgname is not character codes: {name}')
        name = codes.tobytes()
    if isinstance(name, bytes):  # other names reject invalid UTF-8, too
        name = name.decode('utf-8', 'surrogateescape')
    if not isinstance(name, str):
        raise ValueError(f'imgname must be a text, but is {name!r}')
    return name.rstrip('\0 ')
