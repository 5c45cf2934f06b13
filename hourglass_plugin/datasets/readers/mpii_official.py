"""MPII's official file, ``mpii_human_pose_v1_u12_1.mat``.

``RELEASE`` holds one element per image in ``annolist``, ``img_train`` and
``single_person``. An image's people are ``annorect``: ``x1 y1 x2 y2`` (the
head's box), ``scale`` (size / 200 px), ``objpos`` (``x``, ``y``) and
``annopoints.point`` with ``id`` (the joint, from 0), ``x``, ``y`` and
``is_visible``; all pixels count from 1. Any of it may be missing or empty:
test images have no joints, some images have no people, some people only a
head's box, and ``is_visible`` is a number, a digit, empty (neck and head top)
or not there.
"""
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...skeletons import MPII
from .head_sizes import HEAD_BOX_PART
from .matlab import cells, field, number, structs, text
from .person import Person, check_person


def official_people(content: dict, path: Union[str, Path],
                    training: bool) -> list[Person]:
    """People of the training or of the test images.

    A person needs ``scale`` and ``objpos``, and in a training image at least
    one joint. Of the test images, only those people are returned that
    ``single_person`` lists: the single person evaluation leaves all others out
    (``evalMPII.m`` of MPII's evaluation toolkit evaluates "on the 'single
    person' subset only"), and so does the usual ``test.json``, with 7,247
    people. The ``test.h5`` of the paper's code has all 11,731 test people with
    scale and position; predictions for the rest do no harm and count for
    nothing. A file without ``single_person`` does not say who counts; then all
    are returned.

    Args:
        content: the file's variables, as ``load_matlab`` returns them.
        path: the file, for messages.
        training: which images.

    Returns:
        People in the file's order, in 0-based pixels, with annotated centres.
        Nothing is annotated in test images.

    Raises:
        ValueError: if the file cannot be used; names image and person.
    """
    release = structs(content['RELEASE'])
    annolist = structs(release[0]['annolist']) if release and (field(
        release[0], 'annolist') is not None) else []
    if not annolist:
        raise ValueError(f'{path}: RELEASE must have images in annolist, but '
                         'has none')
    flags = field(release[0], 'img_train')
    if flags is None or flags.size != len(annolist):
        raise ValueError(
            f'{path}: img_train must have one entry per image, but has '
            f'{0 if flags is None else flags.size} for {len(annolist)}')
    chosen = None if training else _single_people(release[0], len(annolist),
                                                  path)
    people = []
    for index, flag in enumerate(flags.ravel()):
        if bool(flag) != training:
            continue
        image = annolist[index]
        for position, rectangle in enumerate(
                structs(field(image, 'annorect'))):
            if chosen is not None and position not in chosen[index]:
                continue
            where = (f'{path}, image {index + 1}, person {position + 1} '
                     '(counted from 1)')
            try:
                person = _person(rectangle, training)
                if person is None:
                    continue
                person = person._replace(
                    image=_image_name(image), official_index=(index, position))
            except ValueError as error:
                raise ValueError(f'{where}: {error}') from error
            people.append(check_person(person, MPII, where))
    return people


def _single_people(release: np.void, count: int,
                   path: Union[str, Path]) -> Optional[list[set[int]]]:
    """For each image the positions of people who stand apart, from 0."""
    value = field(release, 'single_person')
    if value is None:
        return None
    # SciPy writes a list of numbers as a matrix, not as cells.
    lists = cells(value) or list(value.ravel())
    if len(lists) != count:
        raise ValueError(f'{path}: single_person must have one entry per '
                         f'image, but has {len(lists)} for {count}')
    return [{int(place) - 1
             for place in np.asarray(item).ravel()} for item in lists]


def _image_name(image: np.void) -> str:
    """The file's name."""
    images = structs(field(image, 'image'))
    name = text(images[0], 'name') if images else None
    if name is None:
        raise ValueError('the image has no name')
    return name


def _person(rectangle: np.void, training: bool) -> Optional[Person]:
    """A person without the image's name; None if what is needed is missing."""
    scale = number(rectangle, 'scale')
    places = structs(field(rectangle, 'objpos'))
    x, y = (number(places[0], axis)
            for axis in 'xy') if places else (None, None)
    if scale is None or x is None or y is None:
        return None
    keypoints, annotated, visible = _joints(rectangle)
    if training and not annotated.any():
        return None
    if not training:  # withheld, or copied in from somebody's predictions
        annotated = np.zeros_like(annotated)
    return Person(
        image='',
        center=np.array([x - 1, y - 1], np.float32),
        scale=scale,
        keypoints=keypoints,
        annotated=annotated,
        visible=visible if training else None,
        head_size=_head_size(rectangle))


def _joints(rectangle: np.void) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(16, 2) float32 0-based pixels, (16,) annotated, (16,) visible.

    As in the paper's code, a joint that does not say whether it is visible
    is, and of two with the same id the first counts.
    """
    count = MPII.num_keypoints
    keypoints = np.full((count, 2), -1, np.float32)
    annotated, visible = np.zeros((2, count), bool)
    for points in structs(field(rectangle, 'annopoints')):
        for point in structs(field(points, 'point')):
            joint = number(point, 'id')
            x, y = number(point, 'x'), number(point, 'y')
            if joint is None or x is None or y is None:
                continue
            if joint not in range(count):
                raise ValueError(f'joint ids are 0 to {count - 1}, but one is '
                                 f'{joint:g}')
            joint = int(joint)
            if annotated[joint]:
                continue
            keypoints[joint] = x - 1, y - 1
            annotated[joint] = True
            visible[joint] = number(point, 'is_visible') != 0
    return keypoints, annotated, visible


def _head_size(rectangle: np.void) -> Optional[float]:
    """0.6 times the diagonal of the head's box; None if there is no box."""
    x1, y1, x2, y2 = (
        number(rectangle, name) for name in ('x1', 'y1', 'x2', 'y2'))
    if x1 is None or y1 is None or x2 is None or y2 is None:
        return None
    return HEAD_BOX_PART * float(np.hypot(x2 - x1, y2 - y1)) or None
