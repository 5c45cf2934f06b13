"""``joints.mat`` of Leeds Sports Pose (LSP) and of its extension."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...skeletons import LSP
from .matlab import load_matlab
from .person import SCALE_UNIT, Person, check_person, check_subset, located
from .pose_json import read_pose_json

#: A person is this many times as large as the box around the joints, which
#: ends at the ankles and has no width for the flesh.
BOX_PADDING = 1.15

#: A person is treated as no smaller than this box, in pixels. A smaller one is
#: cut off, as the images are scaled to people of 150 pixels.
SMALLEST_BOX = 40.0


class LSPJoints(NamedTuple):
    """The content of a ``joints.mat``, in 0-based pixels."""

    extended: bool  #: whether it is that of LSP extended
    keypoints: np.ndarray  #: (N, 14, 2) float64
    annotated: np.ndarray  #: (N, 14) bool
    visible: np.ndarray | None  #: (N, 14) bool; None for LSP extended


def read_lsp(path: str | Path, subset: str | None = None) -> list[Person]:
    """Read the people of Leeds Sports Pose (LSP) or of its extension.

    ``joints.mat`` has neither image names nor boxes. The names follow from
    the position, ``im0001.jpg`` for LSP and ``im00001.jpg`` for its
    extension; a person is ``BOX_PADDING`` times as large as the box around
    the annotated joints, and its crop has the same middle.

    Args:
        path: ``joints.mat`` of LSP (Johnson and Everingham, BMVC 2010) or LSP
            extended (CVPR 2011), or MPII-style JSON in 0-based pixels.
        subset: ``'train'`` is the first half of LSP and all of its extension,
            ``'test'`` the second half of LSP; None is all. JSON contains a
            single subset.

    Returns:
        People in the file's order, in 0-based pixels, without those who have
        no annotated joint, as their position is unknown.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or has no such subset.
    """
    if Path(path).suffix.lower() != '.mat':
        check_subset(path, subset, ())
        return read_pose_json(path, LSP, first_pixel=0)
    extended, keypoints, annotated, visible = read_lsp_joints(path)
    check_subset(path, subset, ('train', ) if extended else ('train', 'test'))
    chosen = range(len(keypoints))
    if subset is not None and not extended:
        if len(chosen) % 2:
            raise ValueError(f'{path} has {len(chosen)} people, which cannot '
                             'be halved; the official file has 2000')
        half = len(chosen) // 2
        chosen = chosen[:half] if subset == 'train' else chosen[half:]
    people = []
    for index in chosen:
        known = keypoints[index][annotated[index]]
        if not len(known):
            continue
        low, high = known.min(0), known.max(0)
        side = max((high - low).max(), SMALLEST_BOX)
        person = Person(
            image=f'im{index + 1:0{5 if extended else 4}d}.jpg',
            center=((low + high) / 2).astype(np.float32),
            scale=float(BOX_PADDING * side / SCALE_UNIT),
            keypoints=keypoints[index].astype(np.float32),
            annotated=annotated[index], official_index=(index, 0),
            visible=None if visible is None else visible[index])
        with located(f'{path}, person {index}'):
            people.append(check_person(person, LSP))
    return people


def read_lsp_joints(path: str | Path) -> LSPJoints:
    """Read a ``joints.mat``; the shape tells which it is.

    LSP's file is (3, 14, N): x, y, and 1 where occluded; all joints are
    annotated. LSP extended's is (14, 3, N): x, y, and 1 where annotated;
    joints of which both coordinates are 0 or less, or NaN, are not annotated
    either, and it is unknown which are visible.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or an annotated joint is not
            finite.
    """
    joints = load_matlab(path, ['joints'])['joints']
    count = LSP.num_keypoints
    extended = joints.shape[:2] == (count, 3)
    if joints.ndim != 3 or joints.dtype.kind not in 'fiub' or not (
            extended or joints.shape[:2] == (3, count)):
        raise ValueError(
            f'{path}: joints must be numbers of shape (3, {count}, people) or '
            f'({count}, 3, people), but is {joints.dtype} {joints.shape}')
    joints = joints.astype(np.float64)
    joints = joints.transpose(2, 0, 1) if extended else joints.T  # (N, 14, 3)
    position, flag = joints[:, :, :2], joints[:, :, 2]
    annotated = np.full(flag.shape, True)
    if extended:
        annotated = (flag == 1) & ~np.isnan(position).all(2) & ~(
            position <= 0).all(2)
    wrong = ~np.isin(flag, (0, 1)) | (annotated
                                      & ~np.isfinite(position).all(2))
    if wrong.any():
        person, joint = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f'{path}: joint {joint} of person {person} must be x, y and 0 or '
            f'1, finite if annotated, but is {joints[person, joint].tolist()}')
    return LSPJoints(extended, position - 1, annotated,
                     None if extended else flag == 0)
