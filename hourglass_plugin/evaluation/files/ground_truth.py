"""The truth that files of predictions are scored against.

Shape shorthand: N people, K keypoints.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
from scipy.io import whosmat

from ...datasets.readers.flic import read_flic
from ...datasets.readers.head_sizes import (
    is_ground_truth,
    read_ground_truth_mat,
)
from ...datasets.readers.lsp import read_lsp
from ...datasets.readers.mpii import read_mpii
from ...datasets.readers.person import Person
from ...skeletons import FLIC, LSP, MPII, Skeleton
from ..scores import (
    PCKH,
    TORSO_PCK,
    Normalizer,
    Scores,
    score_people,
    skeleton_columns,
)
from .predictions import Predictions

#: How far the truth in a dump may be from the ground truth, in pixels: files
#: differ by one where they round, and MMPose's own data set counts from 1.
_SAME_PERSON = 2.0


class GroundTruth(NamedTuple):
    """Everybody's annotation.

    Attributes:
        path: the file.
        skeleton: the data set's.
        measure: the benchmark's.
        keypoints: (N, K, 2) float64 in 0-based pixels.
        annotated: (N, K) bool.
        sizes: (N,) float64, of the people in pixels; NaN leaves one out.
        visible: (N, K) bool; None if the file does not tell.
        images: (N) file names without folders; None if the file has none.
    """

    path: Union[str, Path]
    skeleton: Skeleton
    measure: Normalizer
    keypoints: np.ndarray
    annotated: np.ndarray
    sizes: np.ndarray
    visible: Optional[np.ndarray] = None
    images: Optional[list[str]] = None


def read_ground_truth(data_set: str,
                      path: Union[str, Path],
                      subset: Optional[str] = None,
                      validation_file: Optional[str] = None,
                      labels: str = 'observer') -> GroundTruth:
    """Read the people of a benchmark.

    Args:
        data_set: ``mpii``, ``flic`` or ``lsp``.
        path: any annotation file of the data set, for MPII one with head
            sizes; or MPII's ``mpii_gt_val.mat``.
        subset: for files that hold several.
        validation_file: see
            :func:`hourglass_plugin.datasets.readers.mpii.read_mpii`.
        labels: FLIC's ``observer`` or ``person``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be used.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no file {path}')
    if data_set == MPII.name:
        if _is_ground_truth_mat(path):
            if subset not in (None, 'val'):
                raise ValueError(f'{path} holds the validation people only, '
                                 f'not those of --subset {subset}')
            truth = read_ground_truth_mat(path)
            return GroundTruth(path, MPII, PCKH, *truth)
        people = read_mpii(path, subset, validation_file)
        missing = [
            index for index, person in enumerate(people)
            if person.head_size is None
        ]
        if missing:
            raise ValueError(
                f'{path} has no head size of {len(missing):,} of '
                f'{len(people):,} people, person {missing[0]} '
                f'({people[missing[0]].image}) for example; use '
                'mpii_gt_val.mat, valid.h5 or the official .mat file')
        return _from_people(path, MPII, PCKH, people,
                            [person.head_size for person in people])
    if data_set == FLIC.name:
        skeleton, people = FLIC, read_flic(path, subset, labels)
    else:
        skeleton, people = LSP, read_lsp(path, subset)
    sizes = [
        person.torso_size
        or skeleton.torso_size(person.keypoints, person.annotated)
        for person in people
    ]
    return _from_people(path, skeleton, TORSO_PCK, people, sizes)


def _is_ground_truth_mat(path: Union[str, Path]) -> bool:
    """Whether it is ``mpii_gt_val.mat`` or has the same variables."""
    try:
        return is_ground_truth({name: None for name, *_ in whosmat(str(path))})
    except Exception:  # no .mat file; whoever reads it says what is wrong
        return False


def _from_people(path: Union[str, Path], skeleton: Skeleton, measure: Normalizer,
                 people: list[Person],
                 sizes: Sequence[Optional[float]]) -> GroundTruth:
    """People in the file's order; None is a size that is not known."""
    if not people:
        raise ValueError(f'{path} has nobody to compare with')
    visible = [
        person.visible for person in people if person.visible is not None
    ]
    return GroundTruth(
        path, skeleton, measure,
        np.stack([person.keypoints for person in people]).astype(np.float64),
        np.stack([person.annotated for person in people]),
        np.array(sizes, np.float64),
        np.stack(visible) if len(visible) == len(people) else None,
        [Path(person.image).name for person in people])


def score_predictions(predictions: Predictions, truth: GroundTruth,
                      path: Union[str, Path]) -> Scores:
    """Score a file of predictions.

    Args:
        predictions: of the same people, in the same order.
        truth: the ground truth.
        path: where the predictions come from, for messages.

    Raises:
        ValueError: if they are of other people or not finite.
    """
    _check_people(predictions, truth, path)
    bad = np.argwhere(~np.isfinite(predictions.keypoints).all(axis=2)
                      & truth.annotated)
    if len(bad):
        person, joint = bad[0]
        raise ValueError(
            f'{path}: the prediction of {truth.skeleton.joints[joint]} of '
            f'person {person} (counted from 0) is missing or not finite, and '
            f'{len(bad) - 1:,} others; every annotated joint needs one')
    return score_people(predictions.keypoints, truth.keypoints,
                        truth.annotated, truth.sizes,
                        skeleton_columns(truth.skeleton), truth.measure, None,
                        truth.visible, predictions.stacks)


def _check_people(predictions: Predictions, truth: GroundTruth,
                  path: Union[str, Path]) -> None:
    """Raise ValueError where a dump shows that it is of other people."""
    for person, (image, expected) in enumerate(
            zip(predictions.images or [], truth.images or [])):
        if image != expected:
            raise ValueError(
                f'{path}: person {person} is in {image}, but in {expected} in '
                f'{truth.path}; dump the predictions with the same people')
    if predictions.truth is None:
        return
    distances = np.linalg.norm(predictions.truth - truth.keypoints, axis=2)
    distances[~truth.annotated] = np.nan
    for person, row in enumerate(distances):
        row = row[~np.isnan(row)]
        if row.size and np.median(row) > _SAME_PERSON:
            raise ValueError(
                f'{path}: the joints of person {person} are annotated '
                f'{np.median(row):.0f} pixels away in {truth.path}; dump the '
                'predictions with the same people')
