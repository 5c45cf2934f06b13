"""The ``.h5`` files of the paper's code, for MPII and FLIC.

One row per person in each of ``part`` (N, K, 2) joints, ``center`` (N, 2),
``scale`` (N,) and ``imgname`` (N,), all pixels counted from 1, and, where the
file has them, ``visible`` (N, K), ``normalize`` (N,), ``index`` (N,) and
``person`` (N,). The code that wrote them has moved the centre down and
enlarged the scale already (``src/misc/convert_annot.py`` of pose-hg-train):
they are those of the crop.
"""
import sys
from pathlib import Path
from typing import Union

import numpy as np

from ...skeletons import Skeleton
from .hdf5 import own_array
from .person import CROP_PADDING, Person, check_person

_NEEDED = ('part', 'center', 'scale', 'imgname')
_OPTIONAL = ('visible', 'normalize', 'index', 'person')


def read_newell_h5(path: Union[str, Path], skeleton: Skeleton) -> list[Person]:
    """Read such a file.

    ``visible`` is 1 for a visible joint and 0 for an occluded as for a missing
    one (-1 where a person has no joints at all); a missing one stands at
    (0, 0), or at NaN. So a joint is annotated unless it is there and not
    visible.
    ``normalize`` is the head size (MPII) or the torso's (FLIC); 0 and -1 say
    that there is none.

    Args:
        path: the file.
        skeleton: whose joints, in order.

    Returns:
        People in the file's order, in 0-based pixels. FLIC's left and right
        are the file's.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file; names the row.
        ModuleNotFoundError: if h5py is not installed.
    """
    rows = _read_rows(Path(path))
    parts, centers, scales = rows['part'], rows['center'], rows['scale']
    count, joints = len(parts), skeleton.num_keypoints
    shapes = dict(
        part=(count, joints, 2),
        center=(count, 2),
        scale=(count, ),
        visible=(count, joints),
        normalize=(count, ),
        index=(count, ),
        person=(count, ))
    for name, shape in shapes.items():
        if name in rows and rows[name].shape != shape:
            raise ValueError(f'{path}: {name} of {skeleton.name} must have '
                             f'shape {shape}, but has {rows[name].shape}')
    images = _names(rows['imgname'], count, path)
    missing = (parts == 0).all(2) | np.isnan(parts).all(2)  # (N, K)
    visible = None
    if 'visible' in rows:
        wrong = np.argwhere(~np.isin(rows['visible'], (-1, 0, 1)))
        if len(wrong):
            row, joint = wrong[0].tolist()
            raise ValueError(f'{path}, row {row}: visible must be 0, 1 or -1, '
                             f'but is {rows["visible"][row, joint]} for joint '
                             f'{joint}')
        missing = (missing & (rows['visible'] == 0)) | (rows['visible'] < 0)
        visible = ~missing & (rows['visible'] > 0)
    annotated = ~missing
    keypoints = np.where(annotated[:, :, None], parts - 1, -1)  # no NaN
    people = []
    for row in range(count):
        where = f'{path}, row {row}'
        person = Person(
            image=images[row],
            center=(centers[row] - 1).astype(np.float32),
            scale=float(scales[row]) / CROP_PADDING,
            keypoints=keypoints[row].astype(np.float32),
            annotated=annotated[row],
            visible=None if visible is None else visible[row])
        if 'normalize' in rows and rows['normalize'][row] > 0:
            size = float(rows['normalize'][row])
            person = (
                person._replace(torso_size=size)
                if skeleton.torso else person._replace(head_size=size))
        if 'index' in rows and 'person' in rows:
            person = person._replace(
                official_index=(
                    _position(rows['index'][row], 'index', where),
                    _position(rows['person'][row], 'person', where)))
        people.append(check_person(person, skeleton, where))
    return people


def _read_rows(path: Path) -> dict[str, np.ndarray]:
    """The columns that matter; numbers as float64."""
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    try:
        import h5py  # only these files need it
    except ImportError as error:
        raise ModuleNotFoundError(
            f'reading {path} needs h5py: pip install h5py') from error
    try:
        with h5py.File(str(path), 'r') as file:
            there = set(file)  # by name: a link may lead nowhere
            missing = [name for name in _NEEDED if name not in there]
            if missing:
                raise ValueError(f"it lacks {', '.join(missing)}; it holds "
                                 f"{', '.join(sorted(file)) or 'nothing'}")
            rows = {
                name: own_array(file, name)
                for name in _NEEDED + _OPTIONAL if name in there
            }
        for name in set(rows) - {'imgname'}:
            rows[name] = rows[name].astype(np.float64)
    except Exception as error:  # damage shows as nearly any exception
        raise ValueError(f"{path} is not an .h5 file of the paper's code: "
                         f'{error}') from error
    return rows


def _names(values: np.ndarray, count: int,
           path: Union[str, Path]) -> list[str]:
    """Image names from texts, bytes or zero-padded character codes."""
    if values.ndim == 2 and values.dtype.kind in 'uif':
        is_code = (values >= 0) & (values <= sys.maxunicode) & (
            values == np.floor(values))  # NaN: False
        if not is_code.all():
            row, place = np.argwhere(~is_code)[0]
            raise ValueError(f'{path}, row {row}: the character codes of '
                             'imgname must be 0, 1, 2, ... up to '
                             f'{sys.maxunicode}, but one is '
                             f'{values[row, place]}')
        names = [''.join(chr(int(code)) for code in row) for row in values]
    elif values.ndim == 1 and values.dtype.kind in 'SUO':
        names = [
            # What is not UTF-8 is refused with its row, as any wrong name.
            name.decode('utf-8', 'surrogateescape')
            if isinstance(name, bytes) else str(name) for name in values
        ]
    else:
        raise ValueError(
            f'{path}: imgname must hold texts, bytes or character codes, but '
            f'has shape {values.shape} and type {values.dtype}')
    if len(names) != count:
        raise ValueError(f'{path} has {len(names)} image names for {count} '
                         'people')
    return [name.rstrip('\0 ') for name in names]


def _position(value: float, name: str, where: str) -> int:
    """A position counted from 0."""
    if not (value >= 0 and float(value).is_integer()):
        raise ValueError(f'{where}: {name} must be 0, 1, 2, ..., but is '
                         f'{value}')
    return int(value)
