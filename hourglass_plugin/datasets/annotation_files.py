"""Annotation files to people in 0-based pixels.

Each reader knows its file's convention; what it returns counts pixels from 0,
the centre of the top-left pixel being (0, 0).
"""
import json
from pathlib import Path
from typing import List, NamedTuple, Optional, Union

import numpy as np
from scipy.io import loadmat
from scipy.spatial import cKDTree

from ..skeletons import Skeleton


class Person(NamedTuple):
    """One annotated person.

    ``image`` is the file's name below the image folder. ``center`` (2,) and
    ``keypoints`` (K, 2) are float32 x and y in 0-based pixels; ``annotated``
    (K,) bool. ``scale`` is the person's size divided by 200 pixels.
    ``head_size`` is in pixels, or ``None`` if the file does not tell.
    """

    image: str
    center: np.ndarray
    scale: float
    keypoints: np.ndarray
    annotated: np.ndarray
    head_size: Optional[float] = None


def read_pose_json(path: Union[str, Path], skeleton: Skeleton,
                   first_pixel: int) -> List[Person]:
    """Read a JSON list as HRNet and MMPose use it for MPII.

    Each entry has ``image``, ``center`` [x, y], ``scale`` (size / 200 px),
    ``joints`` K x [x, y] and ``joints_vis`` K x 0 or 1, which says whether a
    joint is annotated, not whether it is visible.

    Args:
        path: the file.
        skeleton: whose joints, in order.
        first_pixel: number of the first pixel in the file, 1 (MATLAB's
            convention, MPII) or 0.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a list; names the entry.
    """
    entries = _load_json(path)
    if not isinstance(entries, list):
        raise ValueError(f'{path} must hold a list of people, but holds a '
                         f'{type(entries).__name__}')
    people = []
    for index, entry in enumerate(entries):
        try:
            center = np.asarray(entry['center'], np.float32)
            keypoints = np.asarray(entry['joints'], np.float32)
            annotated = np.asarray(entry['joints_vis'], np.float32) > 0
            image, scale = str(entry['image']), float(entry['scale'])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}, entry {index}: {type(error).__name__}: {error}; an '
                'entry needs image, center, scale, joints and joints_vis'
            ) from error
        _check_person(f'{path}, entry {index}', skeleton, center, scale,
                      keypoints, annotated)
        people.append(
            Person(image, center - first_pixel, scale,
                   keypoints - first_pixel, annotated))
    return people


def add_head_sizes(people: List[Person], path: Union[str, Path],
                   annotation_file: Union[str, Path]) -> List[Person]:
    """Give MPII's validation people their head sizes.

    The file, usually ``mpii_gt_val.mat``, has no image names. People are
    matched by their joints, so subsets and other orders are right too.

    Args:
        people: people in 0-based pixels.
        path: MATLAB file with ``headboxes_src`` (2, 2, N), corners x, y;
            ``pos_gt_src`` (16, 2, N) and ``jnt_missing`` (16, N), 1-based.
        annotation_file: where the people come from, for messages.

    Returns:
        The same people with ``head_size`` = 0.6 x the head box's diagonal.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it lacks something, or a person is not in it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no head box file {path}')
    content = loadmat(str(path))
    missing = {'headboxes_src', 'pos_gt_src', 'jnt_missing'} - set(content)
    if missing:
        raise ValueError(f'{path} lacks {", ".join(sorted(missing))}')
    boxes = content['headboxes_src']  # (2, 2, N)
    sizes = 0.6 * np.linalg.norm(boxes[1] - boxes[0], axis=0)  # (N,)
    truth = np.moveaxis(content['pos_gt_src'], 2, 0) - 1  # (N, 16, 2)
    annotated = content['jnt_missing'].T == 0  # (N, 16)
    tree = cKDTree(_joint_vectors(truth, annotated))
    distances, matches = tree.query(
        _joint_vectors(
            np.stack([person.keypoints for person in people]),
            np.stack([person.annotated for person in people])))
    unknown = np.flatnonzero(distances > 1)  # pixels; files round differently
    if unknown.size:
        index = unknown[0]
        raise ValueError(
            f'{path} has nobody with the joints of person {index} '
            f'({people[index].image}) of {annotation_file}; the two files do '
            'not belong together')
    return [
        person._replace(head_size=float(sizes[match]))
        for person, match in zip(people, matches)
    ]


def _joint_vectors(keypoints: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """(N, 2 K) pixels that identify people; -1 where not annotated."""
    return np.where(annotated[:, :, None], keypoints,
                    -1).reshape(len(keypoints), -1)


def _load_json(path: Union[str, Path]):
    """The content of a JSON file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is not a JSON file: {error}') from error


def _check_person(where: str, skeleton: Skeleton, center: np.ndarray,
                  scale: float, keypoints: np.ndarray,
                  annotated: np.ndarray) -> None:
    """Refuse people whose numbers cannot be used."""
    count = skeleton.num_keypoints
    if keypoints.shape != (count, 2) or annotated.shape != (count, ):
        raise ValueError(
            f'{where}: {skeleton.name} has {count} joints, but joints have '
            f'shape {keypoints.shape} and joints_vis {annotated.shape}')
    if center.shape != (2, ) or not np.isfinite(center).all():
        raise ValueError(f'{where}: center must be two finite numbers, but is '
                         f'{center.tolist()}')
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f'{where}: scale must be positive, but is {scale}')
    if not np.isfinite(keypoints[annotated]).all():
        raise ValueError(f'{where}: an annotated joint is not finite')
