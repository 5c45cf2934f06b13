"""A choice of reader for MPII's files, and its split.

Tompson's validation set, 2,958 people of 2,729 training images, is not marked
in the official file; the 3,679 other people of these images are in neither
part, and 22,246 people remain for training.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...skeletons import MPII
from .matlab import load_matlab
from .mpii_ground_truth import (
    is_ground_truth,
    joints_of,
    match_joints,
    read_mpii_ground_truth,
)
from .mpii_official import official_people
from .newell_h5 import read_newell_h5
from .person import CENTER_DROP, Person, check_subset
from .pose_json import is_cpm, load_json, read_pose_json


def read_mpii(path: str | Path, subset: str | None = None,
              validation_file: str | Path | None = None) -> list[Person]:
    """Read MPII's people from any of their files.

    The file is recognised by its content:

    - the official ``mpii_human_pose_v1_u12_1.mat``: ``'trainval'`` or None
      are all annotated people of the training images, ``'train'`` and
      ``'val'`` need ``validation_file``, ``'test'`` are the single people of
      the test images, without joints. It takes a minute;
    - the JSON file of Convolutional Pose Machines (25,204 people, may be
      ``.gz``): ``'train'``, ``'val'``, or ``'trainval'`` or None for all;
    - the ``.h5`` files of the paper's code, and the JSON files of HRNet,
      MMPose (also those without joints, for the test people) and
      ``prepare_mpii.py``: a single part each, so no ``subset``.

    Args:
        path: the file.
        subset: see above.
        validation_file: for ``'train'`` and ``'val'`` of the official file,
            any other file of the validation people (of CPM's, those that it
            marks), also ``mpii_gt_val.mat``. People are found by their image,
            if known, and by their joints.

    Returns:
        People in the file's order, in 0-based pixels; their centres are those
        of the crops, ``CENTER_DROP`` below the annotated ones.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if it has another format, cannot be used, or does not
            have that subset.
        ModuleNotFoundError: if an ``.h5`` file is read without h5py.
    """
    kind, content = _open(path)
    if kind == 'official':
        check_subset(path, subset, ('train', 'val', 'trainval', 'test'))
        return _official_subset(content, path, subset, validation_file)
    if validation_file is not None:
        raise ValueError(f'{path} is not the official file: remove '
                         f'validation_file={str(validation_file)!r}')
    if kind == 'ground truth':
        raise ValueError(f'{path} has joints and head boxes only: use it as '
                         'headbox_file or validation_file')
    return _unofficial_subset(kind, content, path, subset)


def _open(path: str | Path) -> tuple[str, Any]:
    """Return a file's kind, judged by its content, and the loaded content."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    with open(path, 'rb') as file:
        start = file.read(128)
    if start.startswith(b'\x89HDF'):
        return 'newell', None
    if start.startswith(b'MATLAB'):
        content = load_matlab(path)
        if 'RELEASE' in content:
            return 'official', content
        if is_ground_truth(content):
            return 'ground truth', content
    elif start.startswith(b'\x1f\x8b') or start.lstrip()[:1] in (b'[', b'{'):
        content = load_json(path)
        return 'cpm' if is_cpm(content) else 'json', content
    raise ValueError(f'{path} is not an annotation file of MPII: use JSON, '
                     'HDF5, or MATLAB with RELEASE or pos_gt_src')


def _unofficial_subset(kind: str, content: Any, path: str | Path,
                       subset: str | None) -> list[Person]:
    """Return a part of the people of CPM's file, or a whole other file."""
    check_subset(path, subset,
                 ('train', 'val', 'trainval') if kind == 'cpm' else ())
    if kind == 'newell':
        return read_newell_h5(path, MPII)
    validation = dict(train=False, val=True).get(subset or 'all')
    return read_pose_json(path, MPII, 1, CENTER_DROP, content, validation)


def _official_subset(content: dict, path: str | Path, subset: str | None,
                     validation_file: str | Path | None) -> list[Person]:
    """Return a part of the official file's people."""
    people = official_people(content, path, training=subset != 'test')
    if subset not in ('train', 'val'):
        return people
    if validation_file is None:
        raise ValueError(f"{path} does not mark Tompson's validation set: "
                         f'subset={subset!r} needs validation_file, for '
                         'example mpii_gt_val.mat')
    listed = _find_listed(people, path, validation_file)
    if subset == 'val':
        return [people[index] for index in sorted(listed)]
    images = {people[index].image for index in listed}
    return [person for person in people if person.image not in images]


def _find_listed(people: Sequence[Person], path: str | Path,
                 validation_file: str | Path) -> set[int]:
    """Return the positions in ``people`` of the validation file's people."""
    kind, content = _open(validation_file)
    if kind == 'official':
        raise ValueError(f'validation_file {validation_file} does not mark '
                         "Tompson's validation set; use mpii_gt_val.mat")
    images: Sequence[str | None]
    if kind == 'ground truth':
        truth = read_mpii_ground_truth(validation_file, content)
        joints = truth.keypoints, truth.annotated
        images = [None] * len(truth.keypoints)
    else:
        listed = _unofficial_subset(kind, content, validation_file,
                                    'val' if kind == 'cpm' else None)
        joints = joints_of(listed)
        images = [person.image for person in listed]
    found = set()
    matches = match_joints(*joints, *joints_of(people))
    for index, (image, same) in enumerate(zip(images, matches)):
        ones = [one for one in same if image in (None, people[one].image)]
        if len(ones) != 1:
            raise ValueError(
                f'person {index} ({image or "image unknown"}) of '
                f'{validation_file} must be one annotated person of {path}, '
                f'but is {len(ones)}; use the official file of the same '
                'release, or valid.h5 as validation_file')
        found.add(int(ones[0]))
    if not found:
        raise ValueError(f'validation_file {validation_file} contains no '
                         'person')
    return found
