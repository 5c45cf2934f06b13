"""JSON lists of people, in two forms.

- HRNet's and MMPose's, for MPII: ``image``, ``center`` [x, y], ``scale``
  (size / 200 px), ``joints`` K x [x, y] and ``joints_vis`` K x 0 or 1, which
  marks annotated joints, not visible ones. Joints before the first pixel in
  both directions are not annotated, whatever it says. Our dataset converters
  also write ``joints_visible`` K x 0 or 1, ``head_size`` and ``torso_size``
  in pixels, and ``official_index`` [image, person] from 0. Test people have
  neither ``joints`` nor ``joints_vis``.
- that of Convolutional Pose Machines (CPM), all people of MPII in one list,
  in its first version under the key ``root``: ``img_paths``, ``objpos``,
  ``scale_provided`` and ``joint_self`` K x [x, y, v]. v is 1 for a visible
  joint and anything else for an occluded or missing one; a missing one stands
  at (0, 0). ``isValidation`` marks Tompson's validation set;
  ``annolist_index`` and ``people_index`` are positions in the official file,
  from 1.
"""
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ...skeletons import Skeleton
from .person import Person, check_person, located


def load_json(path: str | Path) -> Any:
    """Load a JSON file, which may be compressed (``.gz``).

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
        return json.loads(content)  # UTF-8, with or without BOM, or UTF-16
    except (OSError, EOFError, ValueError, RecursionError,
            zlib.error) as error:
        raise ValueError(f'{path} is not a complete JSON file: {error}; '
                         'download or write it again') from error


def is_cpm(content: Any) -> bool:
    """Return whether a JSON file's content is CPM's."""
    if isinstance(content, dict):
        content = content.get('root')
    return isinstance(content, list) and bool(content) and isinstance(
        content[0], dict) and 'joint_self' in content[0]


def read_pose_json(path: str | Path, skeleton: Skeleton, first_pixel: int,
                   center_drop: float = 0.0, content: Any = None,
                   validation: bool | None = None) -> list[Person]:
    """Read people from either form.

    Args:
        path: the file.
        skeleton: the joints' order.
        first_pixel: number of the first pixel in the file, 1 (MATLAB's
            convention, MPII) or 0.
        center_drop: added, times the scale, to y of the centres in the file.
        content: the file's content, if :func:`load_json` has read it already.
        validation: CPM's people of this mark only; None for all.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a list; names the entry.
    """
    entries = load_json(path) if content is None else content
    cpm = is_cpm(entries)
    entries = entries['root'] if cpm and 'root' in entries else entries
    if not isinstance(entries, list):
        raise ValueError(f'{path} must be a list of people, but is '
                         f'{type(entries).__name__}; files in COCO\'s format '
                         'are read by CustomKeypointDataset')
    annotated = cpm or any('joints' in entry for entry in entries
                           if isinstance(entry, dict))
    people = []
    for index, entry in enumerate(entries):
        with located(f'{path}, entry {index}'):
            if not isinstance(entry, dict):
                raise ValueError(f'not an object but {type(entry).__name__}')
            if cpm:
                if validation is not None and (bool(entry['isValidation'])
                                               != validation):
                    continue
                entry = _from_cpm(entry)
            elif not annotated:
                count = skeleton.num_keypoints
                entry = dict(entry, joints=[[-1, -1]] * count,
                             joints_vis=[0] * count)
            person = _person(entry, first_pixel, center_drop)
            people.append(check_person(person, skeleton))
    return people


def _from_cpm(entry: dict) -> dict:
    """Convert an entry of CPM to the other form."""
    joints = np.asarray(entry['joint_self'], np.float64)  # (K, 3)
    visible = joints[:, 2] == 1
    annotated = visible | (joints[:, :2] != 0).any(1)
    index = entry.get('annolist_index'), entry.get('people_index')
    return dict(
        image=entry['img_paths'], center=entry['objpos'],
        scale=entry['scale_provided'], joints=joints[:, :2],
        joints_vis=annotated.tolist(), joints_visible=visible.tolist(),
        official_index=None if None in index else
        [int(number) - 1 for number in index])  # type: ignore[arg-type]


def _person(entry: dict, first_pixel: int, center_drop: float) -> Person:
    """Return one entry in 0-based pixels."""
    scale = _number(entry, 'scale')
    joints = entry['joints']
    if isinstance(joints, list):
        joints = np.asarray(joints, np.float32)
    center = np.asarray(entry['center'], np.float32) - first_pixel
    if center.shape == (2, ):  # else rejected below
        center = center + np.array([0, center_drop * scale], np.float32)
    index = entry.get('official_index')
    if index is not None:
        if not (isinstance(index, list) and len(index) == 2
                and all(isinstance(number, int) for number in index)):
            raise ValueError('official_index must be two integers, but is '
                             f'{index!r}')
        index = index[0], index[1]
    optional: dict[str, Any] = {
        name: _number(entry, name) for name in ('head_size', 'torso_size')
        if entry.get(name) is not None}
    if entry.get('joints_visible') is not None:
        optional['visible'] = _marks(entry, 'joints_visible')
    # MPII's unannotated joints are zeros or below, whatever joints_vis says in
    # files that were cut or scaled.
    annotated = _marks(entry, 'joints_vis') & ~(joints < first_pixel).all(-1)
    return Person(
        image=entry['image'], center=center, scale=scale, annotated=annotated,
        keypoints=(joints - first_pixel).astype(np.float32),
        official_index=index, **optional)


def _number(entry: dict, name: str) -> float:
    value = entry[name]
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f'{name} must be a number, but is {value!r}')
    return float(value)


def _marks(entry: dict, name: str) -> np.ndarray:
    """Return (K,) bool from a list of 0 and 1."""
    marks = entry[name]
    if not isinstance(marks, list) or not all(x in (0, 1) for x in marks):
        raise ValueError(f'{name} must be a list of 0 and 1, but is {marks!r}')
    return np.array(marks, bool)
