"""Read a benchmark's ground truth, and score files of predictions with it.

Shape shorthand: N people, K keypoints.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np
from prediction_files import Predictions
from scipy.io import whosmat

from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.mpii_ground_truth import (
    is_ground_truth,
    read_mpii_ground_truth,
)
from hourglass_plugin.evaluation.scores import (
    PCKH,
    TORSO_PCK,
    Normalizer,
    People,
    Scores,
    score_people,
)
from hourglass_plugin.evaluation.table import skeleton_columns
from hourglass_plugin.skeletons import FLIC, MPII, SKELETONS, Skeleton


class GroundTruth(NamedTuple):
    """Annotations of all people; the last two are None if unknown."""

    path: str | Path  #: the file
    skeleton: Skeleton  #: the dataset's
    normalizer: Normalizer  #: the benchmark's
    keypoints: np.ndarray  #: (N, K, 2) float64 in 0-based pixels
    annotated: np.ndarray  #: (N, K) bool
    sizes: np.ndarray  #: (N,) float64 in pixels; NaN leaves a person out
    visible: np.ndarray | None = None  #: (N, K) bool
    images: list[str] | None = None  #: (N) file names without folders


def read_ground_truth(data_set: str,
                      path: str | Path,
                      subset: str | None = None,
                      validation_file: str | None = None) -> GroundTruth:
    """Read the people of a benchmark.

    Args:
        data_set: ``mpii``, ``flic`` or ``lsp``.
        path: any annotation file of the dataset, for MPII one with head
            sizes; or MPII's ``mpii_gt_val.mat``.
        subset: for files with several subsets.
        validation_file: see
            :func:`hourglass_plugin.datasets.readers.mpii.read_mpii`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be used.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file {path}')
    if data_set == MPII.name and _is_ground_truth_mat(path):
        if subset not in (None, 'val'):
            raise ValueError(f'{path} has the validation people only: leave '
                             f'out --subset {subset}')
        return GroundTruth(path, MPII, PCKH, *read_mpii_ground_truth(path))
    skeleton = SKELETONS[data_set]
    if skeleton is MPII:
        people = read_mpii(path, subset, validation_file)
        sizes = [person.head_size for person in people]
        if None in sizes:
            raise ValueError(
                f'{path} has no head size of person {sizes.index(None)} and '
                f'{sizes.count(None) - 1:,} others; use mpii_gt_val.mat, '
                'valid.h5 or the official .mat file')
    else:
        read = read_flic if skeleton is FLIC else read_lsp
        people = read(path, subset)
        sizes = [person.torso_size
                 or skeleton.torso_size(person.keypoints, person.annotated)
                 for person in people]
    if not people:
        raise ValueError(f'{path} has no person; check --subset')
    visible = [
        person.visible for person in people if person.visible is not None
    ]
    return GroundTruth(
        path, skeleton, PCKH if skeleton is MPII else TORSO_PCK,
        np.stack([person.keypoints for person in people]).astype(np.float64),
        np.stack([person.annotated for person in people]),
        np.array(sizes, np.float64),
        np.stack(visible) if len(visible) == len(people) else None,
        [Path(person.image).name for person in people])


def _is_ground_truth_mat(path: str | Path) -> bool:
    """Return True for ``mpii_gt_val.mat`` and files with its variables."""
    try:
        return is_ground_truth({name: None for name, *_ in whosmat(str(path))})
    except Exception:  # no .mat file; its reader reports an error
        return False


def score_predictions(predictions: Predictions, truth: GroundTruth,
                      path: str | Path) -> Scores:
    """Score a file of predictions.

    Args:
        predictions: of the same people, in the same order.
        truth: the ground truth.
        path: the file of predictions, for messages.

    Raises:
        ValueError: if they are of other people or not finite.
    """
    for person, (image, expected) in enumerate(
            zip(predictions.images or [], truth.images or [])):
        if image != expected:
            raise ValueError(f'{path}: person {person} is in {image}, but '
                             f'in {expected} in {truth.path}; both need the '
                             'same people in the same order')
    bad = np.argwhere(~np.isfinite(predictions.keypoints).all(axis=2)
                      & truth.annotated)
    if len(bad):
        person, joint = bad[0]
        raise ValueError(
            f'{path}: {truth.skeleton.joints[joint]} of person {person} '
            f'(0-based) and {len(bad) - 1:,} others are NaN or Inf; predict '
            'every annotated joint')
    return score_people(
        People(predictions.keypoints, truth.keypoints, truth.annotated,
               truth.sizes, truth.visible, predictions.stacks),
        skeleton_columns(truth.skeleton), truth.normalizer)
