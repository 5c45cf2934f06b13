"""MPII's ground truth for evaluation, which knows people by joints only."""
from pathlib import Path
from typing import NamedTuple, Union

import numpy as np

from ...skeletons import MPII
from .joint_matching import match_joints
from .matlab import load_matlab, texts
from .person import LARGEST, Person

#: A head's size is this part of its box's diagonal (MPII's evaluation code).
HEAD_BOX_PART = 0.6

#: MPII's joints in their order, as the file calls them.
_JOINTS = ('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor',
           'neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri')

_NEEDED = ('headboxes_src', 'jnt_missing', 'pos_gt_src')


class GroundTruth(NamedTuple):
    """What PCKh is computed against. Pixels count from 0.

    Attributes:
        keypoints: (N, 16, 2) float64, x and y.
        annotated: (N, 16) bool, which joints count.
        head_sizes: (N,) float64, 0.6 times the head box's diagonal in pixels.
    """

    keypoints: np.ndarray
    annotated: np.ndarray
    head_sizes: np.ndarray


def is_ground_truth(content: dict) -> bool:
    """Whether a MATLAB file's variables are such a ground truth."""
    return any(name in content for name in _NEEDED)


def read_ground_truth_mat(path: Union[str, Path]) -> GroundTruth:
    """Read ``mpii_gt_val.mat`` (``gt_valid.mat`` in some projects).

    Args:
        path: MATLAB file with ``pos_gt_src`` (16, 2, N), ``jnt_missing``
            (16, N) and ``headboxes_src`` (2, 2, N), corner by x and y, all
            1-based; ``dataset_joints``, if there, names the 16 joints.

    Returns:
        The N people in the file's order. Joints are as they stand in the
        file, which has lost a coordinate of 13 joints of the 2,958 people.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it lacks something or cannot be used.
    """
    return ground_truth(load_matlab(path, _NEEDED), path)


def ground_truth(content: dict, path: Union[str, Path]) -> GroundTruth:
    """The same from the file's variables, as ``load_matlab`` returns them."""
    names = texts(content.get('dataset_joints'))
    if names and names != list(_JOINTS):
        raise ValueError(f'{path}: dataset_joints must be {list(_JOINTS)}, '
                         f'but is {names}')
    count = content['jnt_missing'].shape[-1]
    if count == 0:
        raise ValueError(f'{path} holds nobody')
    joints = MPII.num_keypoints
    arrays = {}
    for name, shape in (('pos_gt_src', (joints, 2, count)),
                        ('jnt_missing', (joints, count)), ('headboxes_src',
                                                           (2, 2, count))):
        array = content[name]
        # MATLAB drops a third dimension of one person.
        if count == 1 and array.shape == shape[:2]:
            array = array.reshape(shape)
        if array.shape != shape or array.dtype.kind not in 'uifb':
            raise ValueError(f'{path}: {name} must hold numbers of shape '
                             f'{shape}, but has shape {array.shape} and type '
                             f'{array.dtype}')
        arrays[name] = np.moveaxis(array.astype(np.float64), -1, 0)
    wrong = np.argwhere(~np.isin(arrays['jnt_missing'], (0, 1)))
    if len(wrong):
        person, joint = wrong[0].tolist()
        raise ValueError(
            f'{path}, person {person}: jnt_missing of joint {joint} must be 0 '
            f'or 1, but is {arrays["jnt_missing"][person, joint]}')
    boxes = arrays['headboxes_src']  # (N, corner, x and y)
    with np.errstate(over='ignore'):  # refused below
        diagonals = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1)
    truth = GroundTruth(
        keypoints=arrays['pos_gt_src'] - 1,
        annotated=arrays['jnt_missing'] == 0,
        head_sizes=HEAD_BOX_PART * diagonals)
    finite = np.isfinite(truth.keypoints).all(2) | ~truth.annotated
    sized = (truth.head_sizes > 0) & (truth.head_sizes <= LARGEST)
    useless = ~(finite.all(1) & sized)  # (N,)
    if useless.any():
        person = int(useless.argmax())
        raise ValueError(
            f'{path}, person {person}: joints that are not missing must be '
            f'finite and the head box not empty, nor larger than {LARGEST:g} '
            f'pixels, but its head size is {truth.head_sizes[person]}')
    return truth


def add_head_sizes(people: list[Person], path: Union[str, Path],
                   annotation_file: Union[str, Path]) -> list[Person]:
    """Give MPII's validation people their head sizes.

    ``mpii_gt_val.mat`` has no image names. People are matched by their
    joints, so subsets, other orders and people who are there twice are right
    too.

    Args:
        people: people in 0-based pixels.
        path: see :func:`read_ground_truth_mat`.
        annotation_file: where the people come from, for messages.

    Returns:
        The same people with ``head_size``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be used, a person is not in it, or somebody
            with the same joints has another head size.
    """
    truth = read_ground_truth_mat(path)
    if not people:
        return []
    matches = match_joints(
        np.stack([person.keypoints for person in people]),
        np.stack([person.annotated for person in people]), truth.keypoints,
        truth.annotated)
    found = []
    for index, (person, same) in enumerate(zip(people, matches)):
        name = f'person {index} ({person.image}) of {annotation_file}'
        if not len(same):
            raise ValueError(
                f'{path} has nobody with the joints of {name}; the two files '
                'do not belong together')
        sizes = truth.head_sizes[same]
        if np.ptp(sizes) > 1e-3:  # pixels
            raise ValueError(
                f'{path}: people {same.tolist()} all have the joints of '
                f'{name}, but their head sizes {sizes.tolist()} differ')
        found.append(person._replace(head_size=float(sizes[0])))
    return found
