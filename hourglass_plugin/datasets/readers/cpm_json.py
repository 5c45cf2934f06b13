"""The JSON file of Convolutional Pose Machines, all of MPII's people in one.

A list (or, in the first version, ``root`` with such a list) of entries with
``img_paths``, ``objpos`` [x, y], ``scale_provided`` and ``joint_self`` K x
[x, y, v], pixels counted from 1. v is 1 for a visible joint and anything else
for an occluded as for a missing one; a missing one stands at (0, 0).
``isValidation`` tells Tompson's validation people; ``annolist_index`` and
``people_index`` are positions in the official file, counted from 1. The other
people of the image, ``joint_others``, have entries of their own.
"""
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ...skeletons import MPII
from .person import Person, check_person

_NEEDED = ('img_paths', 'objpos', 'scale_provided', 'joint_self')


def cpm_entries(content: Any) -> Optional[list[dict]]:
    """The entries in a JSON file's content; None if it is no such file."""
    if isinstance(content, dict):
        content = content.get('root')
    if not isinstance(content, list) or not content:
        return None
    first = content[0]
    return content if isinstance(first, dict) and 'joint_self' in first \
        else None


def cpm_people(entries: list[dict], path: Union[str, Path],
               validation: Optional[bool]) -> list[Person]:
    """People in 0-based pixels, with annotated centres.

    Args:
        entries: from :func:`cpm_entries`.
        path: the file, for messages.
        validation: True for Tompson's validation people, False for the
            others, None for all.

    Raises:
        ValueError: if an entry cannot be used; names it.
    """
    people = []
    for index, entry in enumerate(entries):
        where = f'{path}, entry {index}'
        if not isinstance(entry, dict):
            raise ValueError(f'{where} must be an object, but is a '
                             f'{type(entry).__name__}')
        try:
            if validation is not None and validation != bool(
                    entry['isValidation']):
                continue
            person = _person(entry)
        except (KeyError, TypeError, ValueError, IndexError,
                OverflowError) as error:
            raise ValueError(
                f'{where}: {type(error).__name__}: {error}; an entry needs '
                f'{", ".join(_NEEDED)}, and isValidation for a part of the '
                'people') from error
        people.append(check_person(person, MPII, where))
    return people


def _person(entry: dict) -> Person:
    """One entry as it stands, in 0-based pixels."""
    joints = np.asarray(entry['joint_self'], np.float64)  # (K, 3)
    visible = joints[:, 2] == 1
    annotated = visible | (joints[:, :2] != 0).any(1)
    position = None
    if 'annolist_index' in entry and 'people_index' in entry:
        position = (int(entry['annolist_index']) - 1,
                    int(entry['people_index']) - 1)
    return Person(
        image=entry['img_paths'],
        center=np.asarray(entry['objpos'], np.float32) - 1,
        scale=float(entry['scale_provided']),
        keypoints=(joints[:, :2] - 1).astype(np.float32),
        annotated=annotated,
        visible=visible,
        official_index=position)
