"""One annotated person, and what makes one usable."""
from typing import NamedTuple, Optional

import numpy as np

from ...skeletons import Skeleton
from ..image_names import check_image_name

#: ``Person.scale`` is the size divided by this many pixels (MPII).
SCALE_UNIT = 200.0

#: No image has as many pixels in a row.
LARGEST = 1e6

#: Nobody who can be seen has fewer pixels.
SMALLEST = 1.0

#: A crop is this many times as large as its person (the paper's code).
CROP_PADDING = 1.25


class Person(NamedTuple):
    """One annotated person. All pixels count from 0.

    Attributes:
        image: the file's name below the image folder.
        center: (2,) float32, x and y of the middle of the person's crop.
        scale: the person's size divided by 200 pixels; the crop is
            ``CROP_PADDING`` times as large.
        keypoints: (K, 2) float32, x and y; anything where not annotated.
        annotated: (K,) bool.
        visible: (K,) bool, which annotated keypoints are not occluded; None
            if the file does not tell.
        head_size: 0.6 times the head box's diagonal in pixels (MPII); None if
            the file does not tell.
        torso_size: distance between right shoulder and left hip of the
            person-centric labels in pixels (FLIC); None if the file does not
            tell.
        official_index: position of the image in the official file's list, and
            of the person in the image, both from 0; None if the file does not
            tell.
    """

    image: str
    center: np.ndarray
    scale: float
    keypoints: np.ndarray
    annotated: np.ndarray
    visible: Optional[np.ndarray] = None
    head_size: Optional[float] = None
    torso_size: Optional[float] = None
    official_index: Optional[tuple[int, int]] = None


def check_person(person: Person, skeleton: Skeleton, where: str) -> Person:
    """Refuse a person whose numbers cannot be used.

    Args:
        person: as read.
        skeleton: whose joints it should have.
        where: file and entry, for the message.

    Returns:
        The person.

    Raises:
        ValueError: if something is missing, misshapen or not finite, or the
            image's name leads out of its folder.
    """
    check_image_name(person.image, where)
    count = skeleton.num_keypoints
    if person.keypoints.shape != (count, 2) or (person.annotated.shape !=
                                                (count, )):
        raise ValueError(
            f'{where}: {skeleton.name} has {count} joints, but keypoints have '
            f'shape {person.keypoints.shape} and marks of what is annotated '
            f'{person.annotated.shape}')
    if person.visible is not None and person.visible.shape != (count, ):
        raise ValueError(f'{where}: {skeleton.name} has {count} joints, but '
                         f'visibility has shape {person.visible.shape}')
    if person.center.shape != (2, ) or not np.isfinite(person.center).all():
        raise ValueError(f'{where}: center must be two finite numbers, but is '
                         f'{person.center.tolist()}')
    if not (np.isfinite(person.scale) and person.scale > 0):
        raise ValueError(
            f'{where}: scale must be positive, but is {person.scale}')
    if max(*np.abs(person.center), person.scale * SCALE_UNIT) > LARGEST:
        raise ValueError(f'{where}: center {person.center.tolist()} and scale '
                         f'{person.scale} are of no image, which has at most '
                         f'{LARGEST:g} pixels in a row')
    if person.scale * SCALE_UNIT < SMALLEST:
        raise ValueError(f'{where}: scale {person.scale} is that of a person '
                         f'of {person.scale * SCALE_UNIT:g} pixels; it is the '
                         f'size divided by {SCALE_UNIT:g} pixels')
    if not np.isfinite(person.keypoints[person.annotated]).all():
        raise ValueError(f'{where}: an annotated joint is not finite')
    for name in ('head_size', 'torso_size'):
        size = getattr(person, name)
        if size is not None and not 0 < size <= LARGEST:  # NaN: False
            raise ValueError(f'{where}: {name} must be positive, and no more '
                             f'than {LARGEST:g} pixels, but is {size}')
    return person
