"""Every file in which MPII's people come.

All of them count pixels from 1. Tompson's validation people, 2,958 of 2,729
training images, are not marked in the official file; the 3,679 other people
of these images belong to neither part, and 22,246 people remain for training.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import numpy as np

from ...skeletons import MPII
from .cpm_json import cpm_entries, cpm_people
from .head_sizes import ground_truth, is_ground_truth
from .joint_matching import match_joints
from .matlab import load_matlab
from .mpii_official import official_people
from .newell_h5 import read_newell_h5
from .person import Person
from .pose_json import load_json, pose_json_people

#: Crops are centred lower than the annotated centre by this times the scale,
#: in pixels (the paper's code).
CENTER_DROP = 15.0

#: Which people a file that holds several kinds of them is asked for.
SUBSETS = ('train', 'val', 'trainval', 'test')


def read_mpii(path: Union[str, Path],
              subset: Optional[str] = None,
              validation_file: Union[str, Path, None] = None) -> list[Person]:
    """Read MPII's people from any file in which they come.

    The file is recognised by its content:

    - the official ``mpii_human_pose_v1_u12_1.mat``: ``'trainval'`` or None
      are all annotated people of the training images, ``'train'`` and
      ``'val'`` need ``validation_file``, ``'test'`` are the single people of
      the test images, without joints. Nearly half a minute;
    - the JSON file of Convolutional Pose Machines (25,204 people, may be
      ``.gz``): ``'train'``, ``'val'``, or ``'trainval'`` or None for all;
    - the ``.h5`` files of the paper's code, and the JSON files of HRNet,
      MMPose (also those without joints, for the test people) and
      ``tools/prepare_mpii.py``: one part each, so no ``subset``.

    Args:
        path: the file.
        subset: see above.
        validation_file: for ``'train'`` and ``'val'`` of the official file,
            any other file that holds the validation people (of CPM's, those
            are taken that it marks), also ``mpii_gt_val.mat``. People are
            found by their position in the official file where the other one
            knows it, else by their joints.

    Returns:
        People in the file's order, in 0-based pixels; their centres are those
        of the crops (see :data:`CENTER_DROP`). What a file does not tell is
        None.

    Raises:
        FileNotFoundError: if a file is not there.
        ValueError: if it is none of these, cannot be used, or does not hold
            that subset.
        ModuleNotFoundError: if an ``.h5`` file is read without h5py.
    """
    if subset not in (None, *SUBSETS):
        raise ValueError(f'subset must be one of {", ".join(SUBSETS)} or '
                         f'None, but is {subset!r}')
    opened = _open(path)
    if opened.kind == 'official':
        return lower_centers(
            _official_subset(opened.content, path, subset, validation_file))
    if validation_file is not None:
        raise ValueError(
            f'{path} is not the official file, so validation_file '
            f'{validation_file} is of no use; leave it out')
    if opened.kind == 'ground truth':
        raise ValueError(
            f'{path} has joints and head boxes only: give it as headbox_file '
            'or validation_file, beside a file with images and scales')
    return _unofficial_subset(opened, path, subset)


def lower_centers(people: list[Person]) -> list[Person]:
    """From annotated centres to the middles of the crops."""
    return [
        person._replace(center=person.center +
                        np.array([0, CENTER_DROP * person.scale], np.float32))
        for person in people
    ]


def raise_centers(people: list[Person]) -> list[Person]:
    """From the middles of the crops to annotated centres."""
    return [
        person._replace(center=person.center -
                        np.array([0, CENTER_DROP * person.scale], np.float32))
        for person in people
    ]


class _Opened(NamedTuple):
    """A file's kind and what has been read of it already."""

    kind: str
    content: Any = None


def _open(path: Union[str, Path]) -> _Opened:
    """Tell a file's kind by its content."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    with open(path, 'rb') as file:
        start = file.read(128)
    if start.startswith(b'\x89HDF'):
        return _Opened('newell')
    if start.startswith(b'MATLAB'):
        content = load_matlab(path)
        if 'RELEASE' in content:
            return _Opened('official', content)
        if is_ground_truth(content):
            return _Opened('ground truth', content)
        raise ValueError(
            f"{path} is none of MPII's MATLAB files: it has neither RELEASE "
            f'nor pos_gt_src, but {", ".join(sorted(content)) or "nothing"}')
    if start.startswith(b'\x1f\x8b') or start.lstrip()[:1] in (b'[', b'{'):
        content = load_json(path)
        entries = cpm_entries(content)
        if entries is not None:
            return _Opened('cpm', entries)
        return _Opened('json', content)
    raise ValueError(f"{path} is none of MPII's files: it is neither MATLAB's "
                     'nor HDF5 nor JSON')


def _unofficial_subset(opened: _Opened, path: Union[str, Path],
                       subset: Optional[str]) -> list[Person]:
    """A part of the people of CPM's file, or all of a file with one part."""
    if opened.kind == 'cpm':
        if subset == 'test':
            raise ValueError(f'{path} has no test people; its subsets are '
                             'train, val and trainval')
        validation = {'train': False, 'val': True}.get(subset or 'all')
        return lower_centers(cpm_people(opened.content, path, validation))
    if subset is not None:
        raise ValueError(f'{path} holds one part of the people, so subset '
                         f'{subset!r} cannot be chosen; leave it out')
    if opened.kind == 'newell':
        return read_newell_h5(path, MPII)
    return lower_centers(
        pose_json_people(opened.content, path, MPII, first_pixel=1))


def _official_subset(content: dict, path: Union[str, Path],
                     subset: Optional[str],
                     validation_file: Union[str, Path, None]) -> list[Person]:
    """A part of the official file's people, with annotated centres."""
    if subset == 'test':
        return official_people(content, path, training=False)
    if subset not in ('train', 'val'):
        return official_people(content, path, training=True)
    if validation_file is None:
        raise ValueError(
            f"{path} does not tell Tompson's validation people, so subset "
            f'{subset!r} needs validation_file: any other file that holds '
            'them, for example mpii_gt_val.mat')
    people = official_people(content, path, training=True)
    listed = _listed_people(people, path, validation_file)
    if subset == 'val':
        return [people[index] for index in sorted(listed)]
    images = {people[index].image for index in listed}
    return [person for person in people if person.image not in images]


def _listed_people(people: Sequence[Person], path: Union[str, Path],
                   validation_file: Union[str, Path]) -> set[int]:
    """Positions in ``people`` of those whom the validation file holds."""
    opened = _open(validation_file)
    if opened.kind == 'official':
        raise ValueError(f'validation_file {validation_file} is the official '
                         "file, which does not tell Tompson's validation "
                         'people')
    stranger = ('{} of ' + str(validation_file) + ' is nobody annotated in '
                'the training images of ' + str(path))
    images = None
    if opened.kind == 'ground truth':
        truth = ground_truth(opened.content, validation_file)
        joints, annotated = truth.keypoints, truth.annotated
    else:
        listed = _unofficial_subset(opened, validation_file,
                                    'val' if opened.kind == 'cpm' else None)
        if not listed:
            raise ValueError(f'validation_file {validation_file} holds nobody')
        images = [person.image for person in listed]
        joints, annotated = _joints(listed)
        if all(person.official_index for person in listed):
            positions = {
                (person.official_index, person.image): index
                for index, person in enumerate(people)
            }
            keys = [(person.official_index, person.image) for person in listed]
            for index, key in enumerate(keys):
                if key not in positions:
                    raise ValueError(
                        stranger.format(f'person {index} ({key[1]})'))
            return {positions[key] for key in keys}
    found = set()
    for index, matching in enumerate(
            match_joints(joints, annotated, *_joints(people))):
        name, same = f'person {index}', matching.tolist()
        if images is not None:
            name += f' ({images[index]})'
            same = [one for one in same if people[one].image == images[index]]
        if not same:
            raise ValueError(stranger.format(name))
        if len(same) > 1:
            raise ValueError(
                f'{path}: {len(same)} people have the joints of {name} of '
                f'{validation_file}; take a validation file that tells them '
                'apart by their position, for example valid.h5')
        found.add(same[0])
    return found


def _joints(people: Sequence[Person]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 16, 2) pixels and (N, 16) marks of what is annotated."""
    count = MPII.num_keypoints
    return (np.array([person.keypoints for person in people],
                     np.float32).reshape(-1, count, 2),
            np.array([person.annotated for person in people],
                     bool).reshape(-1, count))
