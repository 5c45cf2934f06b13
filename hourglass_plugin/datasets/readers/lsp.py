"""Every file in which the people of Leeds Sports Pose come."""
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np

from ...skeletons import LSP
from .matlab import load_matlab
from .person import SCALE_UNIT, Person, check_person
from .pose_json import read_pose_json

#: A person is so many times as large as the box around the joints, which ends
#: at the ankles and has no width for the flesh.
BOX_PADDING = 1.15

#: A person is taken to be cut off if the larger side of the box has fewer
#: pixels. Few are; the images are scaled to people of 150 pixels.
SMALLEST_BOX = 40.0


class LSPJoints(NamedTuple):
    """What a ``joints.mat`` holds, in 0-based pixels.

    Attributes:
        extended: whether it is that of LSP extended.
        keypoints: (N, 14, 2) float64.
        annotated: (N, 14) bool.
        visible: (N, 14) bool; None for LSP extended, which does not tell.
    """

    extended: bool
    keypoints: np.ndarray
    annotated: np.ndarray
    visible: Optional[np.ndarray]


def read_lsp(path: Union[str, Path],
             subset: Optional[str] = None) -> list[Person]:
    """Read the people of Leeds Sports Pose (LSP) or of its extension.

    ``joints.mat`` has neither image names nor boxes. The names follow from
    the position, ``im0001.jpg`` for LSP and ``im00001.jpg`` for its
    extension; a person is ``BOX_PADDING`` times as large as the box around
    the annotated joints, and its crop has the same middle.

    Args:
        path: ``joints.mat`` of LSP (Johnson and Everingham, BMVC 2010) or LSP
            extended (CVPR 2011), or MPII-style JSON in 0-based pixels.
        subset: ``'train'`` is the first half of LSP and all of its extension,
            ``'test'`` the second half of LSP; None is everybody. JSON holds
            one subset only.

    Returns:
        People in the file's order, in 0-based pixels; those without any
        annotated joint are left out, as nothing says where they are.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or has no such subset.
    """
    if subset not in (None, 'train', 'test'):
        raise ValueError(f"subset must be 'train' or 'test', got {subset!r}")
    if Path(path).suffix.lower() != '.mat':
        if subset is not None:
            raise ValueError(f'{path} holds one subset only, so {subset!r} '
                             'cannot be taken from it: leave subset out')
        return read_pose_json(path, LSP, first_pixel=0)
    joints = read_lsp_joints(path)
    people = []
    for index in _positions(joints, subset, path):
        if not joints.annotated[index].any():
            continue
        center, scale = _box(joints.keypoints[index][joints.annotated[index]])
        person = Person(
            image=f'im{index + 1:0{5 if joints.extended else 4}d}.jpg',
            center=center,
            scale=scale,
            keypoints=joints.keypoints[index].astype(np.float32),
            annotated=joints.annotated[index],
            visible=None if joints.visible is None else joints.visible[index],
            official_index=(index, 0))
        people.append(check_person(person, LSP, f'{path}, person {index}'))
    return people


def read_lsp_joints(path: Union[str, Path]) -> LSPJoints:
    """Read a ``joints.mat``; the shape tells which it is.

    LSP's is (3, 14, N): x, y, and 1 where occluded; all joints are annotated.
    LSP extended's is (14, 3, N): x, y, and 1 where annotated. Joints where
    both coordinates are 0 or less, or both NaN, are not annotated either in
    LSP extended.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or an annotated joint is not
            finite.
    """
    joints = load_matlab(path, ['joints'])['joints']
    if joints.ndim == 2:  # MATLAB drops the last axis of a single person
        joints = joints[:, :, None]
    count = LSP.num_keypoints
    extended = joints.shape[:2] == (count, 3)
    if joints.ndim != 3 or not (extended or joints.shape[:2] == (3, count)):
        raise ValueError(
            f'{path}: joints must be 3 x {count} x people (LSP) or {count} x '
            f'3 x people (LSP extended), but has shape {joints.shape}')
    if joints.dtype.kind not in 'fiub':
        raise ValueError(f'{path}: joints must be numbers, but has type '
                         f'{joints.dtype}')
    joints = joints.astype(np.float64)
    joints = joints.transpose(2, 0, 1) if extended else joints.T  # (N, 14, 3)
    position, flag = joints[:, :, :2], joints[:, :, 2]
    wrong = np.argwhere(~np.isin(flag, (0, 1)))
    if len(wrong):
        person, joint = wrong[0]
        raise ValueError(
            f'{path}: the third number of person {person}, joint {joint} must '
            f'be 0 or 1, but is {flag[person, joint]}')
    annotated = np.full(flag.shape, True)
    if extended:
        annotated = (flag == 1) & ~np.isnan(position).all(2) & ~(
            position <= 0).all(2)
    wrong = np.argwhere(annotated & ~np.isfinite(position).all(2))
    if len(wrong):
        person, joint = wrong[0].tolist()
        raise ValueError(f'{path}: joint {joint} of person {person} must be '
                         'finite, since it is annotated, but is '
                         f'{position[person, joint].tolist()}')
    return LSPJoints(extended, position - 1, annotated,
                     None if extended else flag == 0)


def _positions(joints: LSPJoints, subset: Optional[str],
               path: Union[str, Path]) -> range:
    """Who belongs to a subset."""
    count = len(joints.keypoints)
    if joints.extended:
        if subset == 'test':
            raise ValueError(f'{path} is that of LSP extended, which has no '
                             "test people: use subset 'train' or that of LSP")
        return range(count)
    if subset is None:
        return range(count)
    if count % 2:
        raise ValueError(f'{path} has {count} people, which cannot be halved '
                         'into train and test; the official file has 2000')
    half = count // 2
    return range(half) if subset == 'train' else range(half, count)


def _box(keypoints: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle (2,) and scale of a person with these (n, 2) joints, n >= 1."""
    low, high = keypoints.min(0), keypoints.max(0)
    side = max((high - low).max(), SMALLEST_BOX)
    scale = float(BOX_PADDING * side / SCALE_UNIT)
    return ((low + high) / 2).astype(np.float32), scale
