"""The ``.h5`` files of the paper's code, for MPII and FLIC.

One row per person in each of ``part`` (N, K, 2) joints, ``center`` (N, 2),
``scale`` (N,) and ``imgname`` (N,), all pixels counted from 1, and optionally
``visible`` (N, K), ``normalize`` (N,), ``index`` (N,) and ``person`` (N,).
Centre and scale are those of the crop: the code that wrote them has moved the
centre down and enlarged the scale (``src/misc/convert_annot.py`` of
pose-hg-train).
"""
import sys
from pathlib import Path

import numpy as np

from ...skeletons import Skeleton
from .hdf5 import own_array
from .person import CROP_PADDING, Person, check_person, located

_NEEDED = ('part', 'center', 'scale', 'imgname')
_OPTIONAL = ('visible', 'normalize', 'index', 'person')


def read_newell_h5(path: str | Path, skeleton: Skeleton) -> list[Person]:
    """Read people.

    ``visible`` is 1 for a visible joint and 0 for an occluded or missing one
    (-1 where a person has no joints at all); a missing one stands at (0, 0),
    or at NaN. ``normalize`` is the head size (MPII) or the torso's (FLIC); 0
    and -1 mean that it is unknown.

    Args:
        path: the file.
        skeleton: the joints' order.

    Returns:
        People in the file's order, in 0-based pixels. FLIC's left and right
        are the file's.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file; names the row.
        ModuleNotFoundError: if h5py is not installed.
    """
    rows = _read_rows(Path(path), skeleton)
    parts = rows['part']
    missing = (parts == 0).all(2) | np.isnan(parts).all(2)  # (N, K)
    if 'visible' in rows:
        missing = (missing & (rows['visible'] == 0)) | (rows['visible'] < 0)
    keypoints = np.where(missing[:, :, None], -1, parts - 1)  # no NaN
    size_name = 'torso_size' if skeleton.torso else 'head_size'
    people = []
    for row in range(len(parts)):
        values = {name: column[row] for name, column in rows.items()}
        with located(f'{path}, row {row}'):
            optional = {}
            if 'visible' in values:
                if not np.isin(values['visible'], (-1, 0, 1)).all():
                    raise ValueError('visible must be 0, 1 or -1')
                optional['visible'] = ~missing[row] & (values['visible'] > 0)
            if values.get('normalize', 0) > 0:
                optional[size_name] = float(values['normalize'])
            if 'index' in values and 'person' in values:
                index = float(values['index']), float(values['person'])
                if not all(part >= 0 and part.is_integer() for part in index):
                    raise ValueError('index and person must be 0, 1, 2, ..., '
                                     f'but are {index}')
                optional['official_index'] = int(index[0]), int(index[1])
            person = Person(
                image=_text(values['imgname']),
                center=(values['center'] - 1).astype(np.float32),
                scale=float(values['scale']) / CROP_PADDING,
                keypoints=keypoints[row].astype(np.float32),
                annotated=~missing[row],
                **optional)
            people.append(check_person(person, skeleton))
    return people


def _read_rows(path: Path, skeleton: Skeleton) -> dict[str, np.ndarray]:
    """Return the columns, numbers as float64, image names of any type."""
    if not path.is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    try:
        import h5py  # only these files need it
    except ImportError as error:
        raise ModuleNotFoundError(
            f'reading {path} needs h5py: pip install h5py') from error
    try:
        with h5py.File(str(path), 'r') as file:
            present = set(file)  # by name: a link may be dangling
            missing = [name for name in _NEEDED if name not in present]
            if missing:
                raise ValueError(f"it lacks {', '.join(missing)}; it has "
                                 f"{', '.join(sorted(present)) or 'nothing'}")
            rows = {
                name: own_array(file, name)
                for name in _NEEDED + _OPTIONAL if name in present
            }
        for name in set(rows) - {'imgname'}:
            rows[name] = rows[name].astype(np.float64)
    except Exception as error:  # damage shows as nearly any exception
        raise ValueError(f"{path} is not an .h5 file of the paper's code: "
                         f'{error}') from error
    joints = skeleton.num_keypoints
    sides = dict(part=(joints, 2), center=(2, ), visible=(joints, ))
    for name, column in rows.items():
        shape = (*rows['part'].shape[:1], *sides.get(name, ()))
        if name == 'imgname':  # texts, or rows of character codes
            shape = shape + column.shape[1:2]
        if column.shape != shape:
            raise ValueError(f'{path}: {name} of {skeleton.name} must have '
                             f'shape {shape}, but has {column.shape}')
    return rows


def _text(name: np.ndarray | bytes | str) -> str:
    """Return a text from a text, bytes or zero-padded character codes."""
    if isinstance(name, np.ndarray):
        codes = name.astype(np.float64).tolist()
        if not all(code.is_integer() and 0 <= code <= sys.maxunicode
                   for code in codes):
            raise ValueError(f'imgname is not character codes: {codes}')
        name = ''.join(chr(int(code)) for code in codes)
    elif isinstance(name, bytes):  # other names reject invalid UTF-8, too
        name = name.decode('utf-8', 'surrogateescape')
    if not isinstance(name, str):
        raise ValueError(f'imgname must be a text, but is {name!r}')
    return name.rstrip('\0 ')
