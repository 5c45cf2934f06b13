"""MPII's head sizes, from a file that knows people by their joints only."""
from pathlib import Path
from typing import List, Union

import numpy as np
from scipy.io import loadmat
from scipy.spatial import cKDTree

from .person import Person


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


