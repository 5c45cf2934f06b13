"""Every file in which FLIC's people come."""
from pathlib import Path
from typing import Optional, Union

import numpy as np

from ...skeletons import FLIC
from .matlab import field, load_matlab, number, structs, text
from .newell_h5 import read_newell_h5
from .person import CROP_PADDING, Person, check_person
from .pose_json import read_pose_json

#: Columns of ``coords`` in ``examples.mat``, in the skeleton's order (the
#: data set's own ``lookupPart.m``), and how many columns it has.
COORDS_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
NUM_COORDS_COLUMNS = 29

#: Every crop of the paper's code is 200 times as large (``flic.lua``).
_CROP_SCALE = 2.2

#: Rows of a frame where the file does not tell: all of FLIC's have as many.
_FRAME_HEIGHT = 480.0

#: Pixels by which a torso may differ from the size that the file states;
#: files round, and people who face away differ by far more.
_TORSO_TOLERANCE = 0.1


def read_flic(path: Union[str, Path],
              subset: Optional[str] = None,
              labels: str = 'observer') -> list[Person]:
    """Read the people of Frames Labeled In Cinema (Sapp and Taskar, 2013).

    Crops are those of the paper's code: 440 pixels wide, their middle that of
    the torso box in x and that of the image in y.

    Observer-centric labels call left what is left of a person who faces the
    camera: where a person-centric left shoulder is further left in the image
    than the right one, all left and right joints are exchanged. That changes
    nothing in files that are observer-centric already.

    Args:
        path: the official ``examples.mat`` of FLIC or FLIC-full, an ``.h5``
            file of the paper's code, or MPII-style JSON in 1-based pixels, as
            ``tools/prepare_flic.py`` writes it.
        subset: ``'train'`` or ``'test'``, for ``examples.mat``, which holds
            both; None is everybody. FLIC-full has people who are neither.
        labels: ``'observer'`` or ``'person'``.

    Returns:
        People in the file's order, in 0-based pixels. ``torso_size`` is known
        where both its joints are annotated, or the file states it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, has no such subset, or has not
            the labels that are asked for; names the row.
    """
    if labels not in ('observer', 'person'):
        raise ValueError(f"labels must be 'observer' or 'person', got "
                         f'{labels!r}')
    if subset not in (None, 'train', 'test'):
        raise ValueError(f"subset must be 'train' or 'test', got {subset!r}")
    suffix = Path(path).suffix.lower()
    if suffix == '.mat':
        people = _read_examples(path, subset)
    elif subset is not None:
        raise ValueError(f'{path} holds one subset only, so {subset!r} cannot '
                         'be taken from it: leave subset out')
    elif suffix in ('.h5', '.hdf5'):
        people = read_newell_h5(path, FLIC)
    else:
        people = read_pose_json(path, FLIC, first_pixel=1)
    if labels == 'observer':
        return [observer_centric(person) for person in people]
    _check_person_centric(people, path)
    return people


def observer_centric(person: Person) -> Person:
    """Left and right as if the person faced the camera.

    Where a shoulder is not annotated nobody knows, and nothing is changed.
    """
    shoulders = FLIC.indices(['left_shoulder', 'right_shoulder'])
    left_x, right_x = person.keypoints[shoulders, 0]
    if not person.annotated[shoulders].all() or left_x >= right_x:
        return person
    order = FLIC.flip_indices
    return person._replace(
        keypoints=person.keypoints[order],
        annotated=person.annotated[order],
        visible=None if person.visible is None else person.visible[order])


def _check_person_centric(people: list[Person], path: Union[str,
                                                            Path]) -> None:
    """Refuse people whose torso is not that of their own labels."""
    for row, person in enumerate(people):
        if person.torso_size is None:
            continue
        torso = FLIC.torso_size(person.keypoints, person.annotated)
        if abs(torso - person.torso_size) > _TORSO_TOLERANCE:  # NaN: False
            raise ValueError(
                f'{path}, row {row}: right shoulder and left hip are '
                f'{torso:.2f} px apart, but the person-centric torso has '
                f'{person.torso_size:.2f} px: the labels are observer-centric '
                "already. For labels 'person' use examples.mat or a "
                '*_personcentric.h5 file')


def _read_examples(path: Union[str, Path],
                   subset: Optional[str]) -> list[Person]:
    """The people of ``examples.mat``, person-centric."""
    examples = structs(load_matlab(path, ['examples'])['examples'])
    if not examples:
        raise ValueError(f'{path}: examples must be a struct array with '
                         'people, but is empty or something else')
    people = []
    for row, example in enumerate(examples):
        where = f'{path}, row {row}'
        try:
            if subset is None or _is_in(example, subset):
                person = _read_example(example, row)
                people.append(check_person(person, FLIC, where))
        except ValueError as error:
            if str(error).startswith(where):
                raise
            raise ValueError(f'{where}: {error}') from error
    return people


def _is_in(example: np.void, subset: str) -> bool:
    """Whether someone belongs to a subset."""
    value = number(example, f'is{subset}')
    if value is None:
        raise ValueError(f'is{subset} is missing or empty')
    return value != 0


def _read_example(example: np.void, row: int) -> Person:
    """One element of the struct array."""
    image = text(example, 'filepath')
    if image is None:
        raise ValueError('filepath is missing or empty')
    coords = _numbers(example, 'coords')
    if coords.shape != (2, NUM_COORDS_COLUMNS):
        raise ValueError(f'coords must be 2 x {NUM_COORDS_COLUMNS}, but has '
                         f'shape {coords.shape}')
    box = _numbers(example, 'torsobox').ravel()
    if box.shape != (4, ):
        raise ValueError('torsobox must be x1, y1, x2, y2, but has '
                         f'{box.size} numbers')
    height = _FRAME_HEIGHT
    if field(example, 'imgdims') is not None:
        height = _numbers(example, 'imgdims').ravel()[0]  # rows, columns, ...
    keypoints = coords[:, COORDS_COLUMNS].T - 1  # (11, 2)
    annotated = ~np.isnan(keypoints).any(1)
    torso = FLIC.torso_size(keypoints, annotated)
    return Person(
        image=image,
        center=np.array([(box[0] + box[2]) / 2, height / 2], np.float32) - 1,
        scale=_CROP_SCALE / CROP_PADDING,
        keypoints=keypoints.astype(np.float32),
        annotated=annotated,
        torso_size=None if np.isnan(torso) else torso,
        official_index=(row, 0))


def _numbers(example: np.void, name: str) -> np.ndarray:
    """A field's numbers as float64."""
    value = field(example, name)
    if value is None:
        raise ValueError(f'{name} is missing or empty')
    try:
        return value.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f'{name} must hold numbers, but has type '
                         f'{value.dtype}') from None
