"""MPII's official file, ``mpii_human_pose_v1_u12_1.mat``.

``RELEASE`` has one element per image in ``annolist``, ``img_train`` and
``single_person``. An image's people are ``annorect``: ``x1 y1 x2 y2`` (the
head box), ``scale`` (size / 200 px), ``objpos`` (``x``, ``y``) and
``annopoints.point`` with ``id`` (the joint, from 0), ``x``, ``y`` and
``is_visible``; all pixels count from 1. Any of it may be missing or empty:
test images have no joints, some images have no people, some people only a
head box, and ``is_visible`` is a number, a digit, empty (neck and head top)
or missing.
"""
from pathlib import Path

import numpy as np

from ...skeletons import MPII
from .matlab import cells, field, number, structs, text
from .mpii_ground_truth import HEAD_BOX_PART
from .person import CENTER_DROP, Person, check_person, located


def official_people(content: dict, path: str | Path,
                    training: bool) -> list[Person]:
    """Return the people of the training or test images, in 0-based pixels.

    A person needs ``scale`` and ``objpos``, and in a training image at least
    one joint. Of the test images, only the people in ``single_person`` are
    returned, if the file has it, as MPII's evaluation (``evalMPII.m``) and the
    usual ``test.json`` (7,247 people) leave all others out. Nothing is
    annotated in test images.

    Args:
        content: the file's variables, from ``load_matlab``.
        path: the file, for messages.
        training: which images.

    Raises:
        ValueError: if the file cannot be used; names image and person.
    """
    release = structs(content['RELEASE'])
    annolist = structs(field(release[0], 'annolist')) if release else []
    flags = field(release[0], 'img_train') if release else None
    if not annolist or flags is None or flags.size != len(annolist):
        raise ValueError(f'{path}: RELEASE must have images in annolist and '
                         'an entry per image in img_train')
    chosen = None if training else _single_people(release[0], len(annolist),
                                                  path)
    people = []
    for index, flag in enumerate(flags.ravel()):
        if bool(flag) != training:
            continue
        for position, rectangle in enumerate(
                structs(field(annolist[index], 'annorect'))):
            if chosen is not None and position not in chosen[index]:
                continue
            with located(f'{path}, image {index + 1}, person {position + 1} '
                         '(counted from 1)'):
                person = _person(annolist[index], rectangle, training,
                                 (index, position))
                if person is not None:
                    people.append(check_person(person, MPII))
    return people


def _single_people(release: np.void, count: int,
                   path: str | Path) -> list[set[int]] | None:
    """Return each image's positions, from 0, of people who stand apart."""
    value = field(release, 'single_person')
    if value is None:
        return None
    # SciPy writes a list of numbers as a matrix, not as cells.
    lists = cells(value) or list(value.ravel())
    if len(lists) != count:
        raise ValueError(f'{path}: single_person has {len(lists)} entries for '
                         f'{count} images')
    return [{int(place) - 1 for place in np.asarray(item).ravel()}
            for item in lists]


def _person(image: np.void, rectangle: np.void, training: bool,
            index: tuple[int, int]) -> Person | None:
    """Return one person; None if scale, position or joints are missing."""
    scale = number(rectangle, 'scale')
    places = structs(field(rectangle, 'objpos'))
    x, y = (number(places[0], axis)
            for axis in 'xy') if places else (None, None)
    if scale is None or x is None or y is None:
        return None
    keypoints, annotated, visible = _joints(rectangle)
    if training and not annotated.any():
        return None
    if not training:  # withheld, or copied in from predictions
        annotated = np.zeros_like(annotated)
    images = structs(field(image, 'image'))
    name = text(images[0], 'name') if images else None
    if name is None:
        raise ValueError('image.name is missing or empty')
    center = np.array([x - 1, y - 1], np.float32)
    return Person(
        image=name, scale=scale, keypoints=keypoints, annotated=annotated,
        center=center + np.array([0, CENTER_DROP * scale], np.float32),
        visible=visible if training else None,
        head_size=_head_size(rectangle), official_index=index)


def _joints(rectangle: np.void) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (16, 2) float32 0-based pixels, (16,) annotated, (16,) visible.

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
                raise ValueError(f'joint id {joint:g} is not 0 to {count - 1}')
            joint = int(joint)
            if annotated[joint]:
                continue
            keypoints[joint] = x - 1, y - 1
            annotated[joint] = True
            visible[joint] = number(point, 'is_visible') != 0
    return keypoints, annotated, visible


def _head_size(rectangle: np.void) -> float | None:
    """0.6 times the diagonal of the head's box; None if there is no box."""
    sides = [number(rectangle, name) for name in ('x1', 'y1', 'x2', 'y2')]
    x1, y1, x2, y2 = (np.nan if side is None else side for side in sides)
    size = HEAD_BOX_PART * float(np.hypot(x2 - x1, y2 - y1))
    return size if size > 0 else None
