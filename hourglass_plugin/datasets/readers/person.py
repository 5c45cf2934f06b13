"""One annotated person, and the checks that all readers share."""
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np

from ...skeletons import Skeleton

#: ``Person.scale`` is the size divided by this many pixels (MPII).
SCALE_UNIT = 200.0

#: Bounds of a person's plausible size, and of coordinates, in pixels.
SMALLEST, LARGEST = 1.0, 1e6

#: A crop is this many times as large as its person (the paper's code).
CROP_PADDING = 1.25

#: MPII's crops are centred lower than the annotated centre by this times the
#: scale, in pixels (the paper's code).
CENTER_DROP = 15.0


class Person(NamedTuple):
    """One annotated person, in 0-based pixels; None is not in the file.

    Attributes:
        image: the file's name below the image folder.
        center: (2,) float32, x and y of the middle of the person's crop.
        scale: the person's size divided by 200 pixels; the crop is
            ``CROP_PADDING`` times as large.
        keypoints: (K, 2) float32, x and y; arbitrary where not annotated.
        annotated: (K,) bool.
        visible: (K,) bool, annotated keypoints that are not occluded.
        head_size: 0.6 times the head box's diagonal in pixels (MPII).
        torso_size: distance between right shoulder and left hip of the
            person-centric labels in pixels (FLIC).
        official_index: position of the image in the official file's list, and
            of the person in the image, both from 0.
    """

    image: str
    center: np.ndarray
    scale: float
    keypoints: np.ndarray
    annotated: np.ndarray
    visible: np.ndarray | None = None
    head_size: float | None = None
    torso_size: float | None = None
    official_index: tuple[int, int] | None = None


def check_subset(path: str | Path, subset: str | None,
                 subsets: Sequence[str]) -> None:
    """Reject a subset that a file does not have; None is all people."""
    if subset is not None and subset not in subsets:
        known = ' or '.join(map(repr, subsets))
        remedy = f'use {known}' if known else 'it has one part: set no subset'
        raise ValueError(f'{path} has no subset {subset!r}; {remedy}')


@contextmanager
def located(where: str) -> Iterator[None]:
    """Turn an error about a damaged entry into one that names its place.

    Raises:
        ValueError: that begins with ``where``, file and entry.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        kind = '' if isinstance(error, ValueError) else 'missing or invalid: '
        raise ValueError(f'{where}: {kind}{error}') from error


def check_person(person: Person, skeleton: Skeleton) -> Person:
    """Return the person, or reject one whose numbers cannot be used.

    Raises:
        ValueError: if something is missing, has another shape, is not finite
            or implausible, or the image's name leads out of its folder.
    """
    check_image_name(person.image)
    count = skeleton.num_keypoints
    for name, shape in dict(center=(2, ), keypoints=(count, 2),
                            annotated=(count, ), visible=(count, )).items():
        array = getattr(person, name)
        if array is not None and array.shape != shape:
            raise ValueError(f'{name} of {skeleton.name} must have shape '
                             f'{shape}, but has {array.shape}')
    # Comparisons with NaN are false.
    if not (np.abs(person.center) <= LARGEST).all():
        raise ValueError(f'center must be two numbers of at most {LARGEST:g} '
                         f'pixels, but is {person.center.tolist()}')
    if not SMALLEST <= person.scale * SCALE_UNIT <= LARGEST:
        raise ValueError(f'scale must be {SMALLEST:g} to {LARGEST:g} pixels, '
                         f'divided by {SCALE_UNIT:g}, but is {person.scale}')
    wrong = person.annotated & ~np.isfinite(person.keypoints).all(1)
    if wrong.any():
        raise ValueError(f'{skeleton.joints[wrong.argmax()]} is annotated, '
                         'but NaN or Inf; mark it as not annotated')
    for name in ('head_size', 'torso_size'):
        size = getattr(person, name)
        if size is not None and not 0 < size <= LARGEST:
            raise ValueError(f'{name} must be positive and at most '
                             f'{LARGEST:g} pixels, but is {size}')
    return person


def check_image_name(name: Any, folder: str | None = None) -> None:
    """Reject an image name that leads out of the image folder.

    An annotation file must not choose which files are read and shown in
    reports. Links inside the folder are the user's own.

    Args:
        name: as in the file.
        folder: where absolute names are allowed; None allows none.

    Raises:
        ValueError: if it is not a text, or contains ``..``, an address,
            control characters or lone surrogates, which logs cannot hold; or
            if it is an absolute path outside the folder.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f'the image name must be a text, but is {name!r}')
    if any(unicodedata.category(letter) in ('Cc', 'Cs') for letter in name):
        raise ValueError(f'the image name {name!r} has a control character '
                         'or is not valid UTF-8; rename the file')
    windows = PureWindowsPath(name)
    absolute = os.path.isabs(name) or windows.drive or windows.root
    if '..' in re.split(r'[/\\]', name) or '://' in name or (absolute
                                                             and not folder):
        raise ValueError(f'the image name {name!r} leads out of the image '
                         'folder; write its name below that folder')
    if absolute and folder and not os.path.abspath(name).startswith(
            os.path.join(os.path.abspath(folder), '')):
        raise ValueError(f'the image {name!r} is outside the folder {folder}; '
                         'data_prefix=dict(img=...) must contain it')
