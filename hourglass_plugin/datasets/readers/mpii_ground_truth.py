"""MPII's ground truth for evaluation, ``mpii_gt_val.mat``.

It has the validation people's joints and head boxes, but no image names, so
its people are found again by their joints.
"""
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from ...skeletons import MPII
from .matlab import load_matlab
from .person import LARGEST, Person

#: A head's size is this part of its box's diagonal (MPII's evaluation code).
HEAD_BOX_PART = 0.6

_NEEDED = ('headboxes_src', 'jnt_missing', 'pos_gt_src')

# Differences of a coordinate, in pixels, between files that round to 3
# decimals, and between files of which one truncates neck and head top.
_ROUNDED, _TRUNCATED = 0.002, 1.001

# A coordinate of joints that are not annotated, far from all others.
_NOWHERE = -1e5


class MPIIGroundTruth(NamedTuple):
    """The ground truth of PCKh, in 0-based pixels.

    Attributes:
        keypoints: (N, 16, 2) float64, x and y.
        annotated: (N, 16) bool, which joints count.
        head_sizes: (N,) float64, 0.6 times the head box's diagonal in pixels.
    """

    keypoints: np.ndarray
    annotated: np.ndarray
    head_sizes: np.ndarray


def is_ground_truth(content: dict) -> bool:
    """Return whether a MATLAB file's variables are such a ground truth."""
    return any(name in content for name in _NEEDED)


def read_mpii_ground_truth(path: str | Path,
                           content: dict | None = None) -> MPIIGroundTruth:
    """Read ``mpii_gt_val.mat`` (``gt_valid.mat`` in some projects).

    Args:
        path: MATLAB file with ``pos_gt_src`` (16, 2, N), ``jnt_missing``
            (16, N) and ``headboxes_src`` (2, 2, N), corner by x and y, all
            1-based.
        content: its variables, if they are loaded already.

    Returns:
        The N people in the file's order. Joints are as in the file, which has
        lost a coordinate of 13 joints of the 2,958 people.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it lacks something or cannot be used.
    """
    content = content or load_matlab(path, _NEEDED)
    count, joints = content['jnt_missing'].shape[-1], MPII.num_keypoints
    if count == 0:
        raise ValueError(f'{path} contains no person; download it again')
    arrays = {}
    for name, shape in dict(pos_gt_src=(joints, 2, count),
                            jnt_missing=(joints, count),
                            headboxes_src=(2, 2, count)).items():
        array = content[name]
        if array.shape != shape or array.dtype.kind not in 'uifb':
            raise ValueError(f'{path}: {name} must be numbers of shape '
                             f'{shape}, but is {array.dtype} {array.shape}')
        arrays[name] = np.moveaxis(array.astype(np.float64), -1, 0)
    missing = arrays['jnt_missing']
    boxes = arrays['headboxes_src']  # (N, corner, x and y)
    with np.errstate(over='ignore'):  # rejected below
        sizes = HEAD_BOX_PART * np.linalg.norm(boxes[:, 1] - boxes[:, 0],
                                               axis=1)
    truth = MPIIGroundTruth(arrays['pos_gt_src'] - 1, missing == 0, sizes)
    finite = np.isfinite(truth.keypoints).all(2) | ~truth.annotated
    usable = (np.isin(missing, (0, 1)) & finite).all(1) & (sizes > 0) & (
        sizes <= LARGEST)  # (N,)
    if not usable.all():
        person = int(usable.argmin())
        raise ValueError(
            f'{path}, person {person}: jnt_missing is not 0 or 1, a joint not '
            f'finite, or the head size not between 0 and {LARGEST:g} pixels')
    return truth


def add_head_sizes(people: list[Person], path: str | Path,
                   annotation_file: str | Path) -> list[Person]:
    """Add the head sizes of MPII's validation people, matched by joints.

    Args:
        people: in 0-based pixels.
        path: see :func:`read_mpii_ground_truth`.
        annotation_file: the people's file, for messages.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be used, a person is not in it, or people
            with the same joints have different head sizes.
    """
    truth = read_mpii_ground_truth(path)
    matches = match_joints(*joints_of(people), truth.keypoints,
                           truth.annotated)
    found = []
    for index, (person, same) in enumerate(zip(people, matches)):
        sizes = truth.head_sizes[same]
        if not len(same) or np.ptp(sizes) > 1e-3:  # pixels
            raise ValueError(
                f'{path} needs one head size of person {index} '
                f'({person.image}) of {annotation_file}, but has '
                f'{sizes.tolist()}; it has those of the validation set only')
        found.append(person._replace(head_size=float(sizes[0])))
    return found


def joints_of(people: Sequence[Person]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, 16, 2) float32 pixels and (N, 16) bool, the annotated."""
    keypoints = np.zeros((len(people), MPII.num_keypoints, 2), np.float32)
    annotated = np.zeros(keypoints.shape[:2], bool)
    for index, person in enumerate(people):
        keypoints[index], annotated[index] = person.keypoints, person.annotated
    return keypoints, annotated


def match_joints(keypoints: np.ndarray, annotated: np.ndarray,
                 known_keypoints: np.ndarray,
                 known_annotated: np.ndarray) -> Iterator[np.ndarray]:
    """Find people again, in another file, by their joints.

    Some of MPII's files truncate neck and head top to whole pixels, and in
    ``mpii_gt_val.mat`` 13 joints of 10 people have lost a coordinate. So three
    searches follow each other: all joints equal; all joints within a pixel;
    the most joints in common, if at least three and half of those that could
    be.

    Args:
        keypoints: (M, K, 2) pixels.
        annotated: (M, K) bool.
        known_keypoints: (N, K, 2) pixels.
        known_annotated: (N, K) bool.

    Yields:
        M arrays with positions of equally good known people; more than one
        if their joints do not tell them apart, none if there is no match.
    """
    people, known = (
        np.where(marks[:, :, None], joints, _NOWHERE).reshape(
            len(joints), 2 * joints.shape[1])
        for joints, marks in ((keypoints, annotated),
                              (known_keypoints, known_annotated)))
    tree = cKDTree(known)
    equal = tree.query_ball_point(people, _ROUNDED, p=np.inf)
    near = tree.query_ball_point(people, _TRUNCATED, p=np.inf)
    for index in range(len(keypoints)):
        matches = equal[index] or near[index]
        if matches:
            yield np.sort(matches)
            continue
        both = known_annotated & annotated[index]  # (N, K)
        apart = np.abs(known_keypoints - keypoints[index]).max(2)
        shared = (both & (apart <= _TRUNCATED)).sum(1)  # (N,)
        comparable = np.minimum(known_annotated.sum(1), annotated[index].sum())
        shared[(shared < 3) | (2 * shared < comparable)] = 0
        yield np.flatnonzero(shared == shared.max(initial=1))
