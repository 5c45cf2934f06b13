"""FLIC's ``examples.mat``, and a choice of reader for its other files."""
from pathlib import Path

import numpy as np

from ...skeletons import FLIC
from .matlab import field, load_matlab, numbers, structs, text
from .newell_h5 import read_newell_h5
from .person import CROP_PADDING, Person, check_person, check_subset, located
from .pose_json import read_pose_json

#: Columns of ``coords`` in ``examples.mat``, in the skeleton's order (the
#: dataset's own ``lookupPart.m``), and the number of columns.
COORDS_COLUMNS = (0, 1, 2, 3, 4, 5, 6, 9, 12, 13, 16)
NUM_COORDS_COLUMNS = 29

#: The scale of every crop in the paper's code, 200 pixels each (``flic.lua``).
_CROP_SCALE = 2.2

#: Rows of a frame without ``imgdims``: all of FLIC's have as many.
_FRAME_HEIGHT = 480.0


def read_flic(path: str | Path, subset: str | None = None) -> list[Person]:
    """Read the people of Frames Labeled In Cinema (Sapp and Taskar, 2013).

    Crops are those of the paper's code: 440 pixels wide, centred at the torso
    box in x and at the image in y. Labels are observer-centric, as in the
    benchmark: all left and right joints are exchanged where the left shoulder
    is further left in the image than the right one.

    Args:
        path: the official ``examples.mat`` of FLIC or FLIC-full, an ``.h5``
            file of the paper's code, or MPII-style JSON in 1-based pixels, as
            ``tools/dataset_converters/prepare_flic.py`` writes it.
        subset: ``'train'`` or ``'test'``, for ``examples.mat``, which has
            both; None is all. FLIC-full has people who are in neither.

    Returns:
        People in the file's order, in 0-based pixels. ``torso_size`` is known
        if both its joints are annotated, or if it is in the file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not such a file, or has no such subset.
    """
    suffix = Path(path).suffix.lower()
    check_subset(path, subset, ('train', 'test') if suffix == '.mat' else ())
    if suffix == '.mat':
        people = _read_examples(path, subset)
    elif suffix in ('.h5', '.hdf5'):
        people = read_newell_h5(path, FLIC)
    else:
        people = read_pose_json(path, FLIC, first_pixel=1)
    return [_observer_centric(person) for person in people]


def _observer_centric(person: Person) -> Person:
    """Name left and right as if the person faced the camera.

    Without both shoulders that is unknown, and nothing is changed.
    """
    shoulders = FLIC.indices(['left_shoulder', 'right_shoulder'])
    left_x, right_x = person.keypoints[shoulders, 0]
    if not person.annotated[shoulders].all() or left_x >= right_x:
        return person
    order = FLIC.flip_indices
    return person._replace(
        keypoints=person.keypoints[order], annotated=person.annotated[order],
        visible=None if person.visible is None else person.visible[order])


def _read_examples(path: str | Path, subset: str | None) -> list[Person]:
    """Return the people of ``examples.mat``, person-centric."""
    examples = structs(load_matlab(path, ['examples'])['examples'])
    if not examples:
        raise ValueError(f'{path}: examples contains no person')
    people = []
    for row, example in enumerate(examples):
        with located(f'{path}, row {row}'):
            if subset is None or numbers(example, f'is{subset}').item() != 0:
                people.append(
                    check_person(_read_example(example, row), FLIC))
    return people


def _read_example(example: np.void, row: int) -> Person:
    """Return one element of the struct array."""
    image = text(example, 'filepath')
    if image is None:
        raise ValueError('filepath is missing or empty')
    coords = numbers(example, 'coords')
    box = numbers(example, 'torsobox').ravel()  # x1, y1, x2, y2
    if coords.shape != (2, NUM_COORDS_COLUMNS) or box.shape != (4, ):
        raise ValueError(f'coords {coords.shape} or torsobox {box.shape} is '
                         f'not (2, {NUM_COORDS_COLUMNS}) or (4,)')
    height = _FRAME_HEIGHT
    if field(example, 'imgdims') is not None:
        height = numbers(example, 'imgdims').ravel()[0]  # rows, columns, ...
    keypoints = coords[:, COORDS_COLUMNS].T - 1  # (11, 2)
    annotated = ~np.isnan(keypoints).any(1)
    torso = FLIC.torso_size(keypoints, annotated)
    return Person(
        image=image, scale=_CROP_SCALE / CROP_PADDING, official_index=(row, 0),
        center=np.array([(box[0] + box[2]) / 2, height / 2], np.float32) - 1,
        keypoints=keypoints.astype(np.float32), annotated=annotated,
        torso_size=None if np.isnan(torso) else torso)
