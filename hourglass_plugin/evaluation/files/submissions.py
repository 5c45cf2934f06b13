"""Predictions in the files of MPII's and FLIC's own tools, counted from 1.

MPII: what its authors ask to be sent to them as ``pred_keypoints_mpii.mat``
("Evaluation on MPII Human Pose Dataset", Single Person Pose Estimation). The
file holds ``pred``, the struct array ``RELEASE.annolist(RELEASE.img_train ==
0)`` of the official file with the predicted joints put in::

    pred(image).annorect(person).annopoints.point(k).x, .y, .id    id = 0..15

Their evaluation walks through every ``annorect`` that has an ``objpos``, and
compares the length of ``pred`` with that of the list, so images and people
without a prediction must be there too: the struct is copied from the official
file.

FLIC has no server. Predictions are written as its ``examples.mat`` holds the
truth: ``examples``, a struct array with ``filepath``, ``coords`` (2, 29),
``istrain``, ``istest``.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from scipy.io import savemat, whosmat

from ...atomic_files import atomic_file
from ...datasets.readers.flic import COORDS_COLUMNS, NUM_COORDS_COLUMNS
from ...datasets.readers.matlab import load_matlab, text
from ...datasets.readers.mpii import CENTER_DROP
from ...datasets.readers.person import SCALE_UNIT
from ...skeletons import FLIC, MPII

#: The variable in the official file of each data set.
_OFFICIAL_VARIABLE = {MPII.name: 'RELEASE', FLIC.name: 'examples'}


class PredictedPerson(NamedTuple):
    """One person's prediction. Pixels count from 0."""

    image: str  #: name of the image file, without folders
    keypoints: np.ndarray  #: (K, 2) x and y
    #: position of the image in the official list and of the person in the
    #: image, from 0; None where the annotation file does not tell
    official_index: Optional[tuple[int, int]]
    #: (4,) left, top, right, bottom of the square that the data set gives
    bbox: np.ndarray


def mpii_predictions(people: Sequence[PredictedPerson],
                     release: Optional[np.ndarray] = None) -> np.ndarray:
    """Predictions as MPII's ``pred``.

    With ``release``, for people of the test images: every test image in the
    official order, with every ``annorect`` that the official file has. For
    people of the training images (Tompson's validation people are among
    them): their images only. Annotated joints are left out, so that the file
    holds predictions and nothing else.

    Without ``release``: the images of the people only, with an ``annorect``
    that is empty for everybody else. That is no submission. Where the
    annotation file does not tell official positions, as HRNet's JSON, images
    and the people in each are numbered in the order in which they come.

    Args:
        people: predictions, (16, 2) each, in any order.
        release: ``RELEASE`` of the official file, as scipy reads it.

    Returns:
        (1, N) struct array with ``image.name`` and ``annorect``.

    Raises:
        ValueError: if a person has no official index, is there twice, or is
            not in the official file.
    """
    if release is None and any(person.official_index is None
                               for person in people):
        people = _numbered(people)
    by_image: dict[int, dict[int, PredictedPerson]] = {}
    for person in people:
        if person.official_index is None:
            raise ValueError(_no_index(person, MPII.name))
        image, position = person.official_index
        if position in by_image.setdefault(image, {}):
            raise ValueError(f'{person.image}: person {position} of image '
                             f'{image} was predicted twice')
        by_image[image][position] = person
    if release is None:
        images = sorted(by_image)
        pred = _structs(len(images), ['image', 'annorect'])
        for entry, image in zip(pred[0], images):
            _fill_in_known(entry, by_image[image])
    else:
        annolist = release['annolist'].reshape(-1)
        is_test = release['img_train'].reshape(-1) == 0
        if max(by_image) >= len(annolist):
            raise ValueError(f'the official file has {len(annolist)} images, '
                             f'but image {max(by_image)} was predicted')
        images = sorted(by_image)
        if is_test[images].all():
            images = np.flatnonzero(is_test).tolist()
        pred = annolist[None, images].copy()
    for entry, image in zip(pred[0], images):
        entry['annorect'] = _with_points(entry, by_image.get(image, {}))
    return pred


def count_unpredicted(people: Sequence[PredictedPerson],
                      release: np.ndarray) -> tuple[int, int]:
    """How many of MPII's single people to test have no prediction.

    Args:
        people: predictions.
        release: ``RELEASE`` of the official file.

    Returns:
        Their number, and that of all single people of the test images.
    """
    is_test = release['img_train'].reshape(-1) == 0
    single = {
        (image, int(position) - 1)
        for image, positions in enumerate(release['single_person'].reshape(-1))
        if is_test[image] for position in np.ravel(positions)
    }
    predicted = {person.official_index for person in people}
    return len(single - predicted), len(single)


def flic_predictions(people: Sequence[PredictedPerson],
                     examples: Optional[np.ndarray] = None,
                     is_train: bool = False) -> np.ndarray:
    """Predictions as FLIC's ``examples``.

    Left and right are as the network learnt them: the observer's, unless the
    data set was read with ``labels='person'``.

    Args:
        people: predictions, (11, 2) each, in any order.
        examples: of the official file, as scipy reads it; all its fields of
            the predicted people are kept but ``coords``.
        is_train: without ``examples``, whether these are people to train on.

    Returns:
        (1, N) struct array in the official order, or that of ``people`` where
        it is not known; ``coords`` is NaN where FLIC has other joints.

    Raises:
        ValueError: if a person is not in ``examples``, or is there twice.
    """
    known = [(person.official_index[0], person) for person in people
             if person.official_index is not None]
    if len(known) == len(people):
        known.sort(key=lambda pair: pair[0])
        people = [person for _, person in known]
        for (row, person), (following, _) in zip(known, known[1:]):
            if row == following:
                raise ValueError(
                    f'{person.image}: row {row} was predicted twice')
    if examples is None:
        found = _structs(
            len(people), ['filepath', 'coords', 'istrain', 'istest'])
        for entry, person in zip(found[0], people):
            entry['filepath'] = person.image
            entry['istrain'], entry['istest'] = is_train, not is_train
    else:
        examples = examples.reshape(-1)
        for person in people:
            if person.official_index is None:
                raise ValueError(_no_index(person, FLIC.name))
        for row, person in known:
            if row >= len(examples) or (person.image != text(
                    examples[row], 'filepath')):
                raise ValueError(f'the official file has no {person.image} in '
                                 f'row {row}: these are other files\' people')
        found = examples[None, [row for row, _ in known]].copy()
    for entry, person in zip(found[0], people):
        coords = np.full((2, NUM_COORDS_COLUMNS), np.nan)
        coords[:, COORDS_COLUMNS] = np.asarray(person.keypoints,
                                               np.float64).T + 1
        entry['coords'] = coords
    return found


def official_data_set(path: str) -> Optional[str]:
    """Whose official annotation file a file is: ``mpii``, ``flic`` or None.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no annotation file {path}')
    try:
        variables = {variable[0] for variable in whosmat(path)}
    except (OSError, ValueError, NotImplementedError):
        return None  # not MATLAB's, or damaged
    for name, variable in _OFFICIAL_VARIABLE.items():
        if variable in variables:
            return name
    return None


def read_official_file(path: str, dataset_name: str) -> np.ndarray:
    """The official file's ``RELEASE`` (MPII) or ``examples`` (FLIC).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not the official file.
    """
    variable = _OFFICIAL_VARIABLE[dataset_name]
    content = load_matlab(path, [variable])[variable]
    return content[0, 0] if dataset_name == MPII.name else content


def write_mat(path: str, name: str, content: np.ndarray) -> None:
    """Write one variable as a MATLAB 5 file, which appears when complete."""
    with atomic_file(path) as partial, open(partial, 'wb') as file:
        savemat(file, {name: content}, do_compression=True)


@METRICS.register_module()
class OfficialPredictionFile(BaseMetric):
    """Writes all predictions into one official file; gives no scores.

    For MPII and FLIC; see :func:`mpii_predictions` and
    :func:`flic_predictions` for what the file holds. ``tools/test.py
    --out-official`` adds it to a config's metrics.

    Args:
        out_file: name of the MATLAB file, ending in ``.mat``.
        official_file: ``mpii_human_pose_v1_u12_1.mat`` or ``examples.mat``,
            which the rest of the structs is copied from.
        is_train: see :func:`flic_predictions`.
        collect_device: where the results of several processes meet.

    Raises:
        ValueError: if the name does not fit.
    """

    default_prefix = 'official'

    def __init__(self,
                 out_file: str,
                 official_file: Optional[str] = None,
                 is_train: bool = False,
                 collect_device: str = 'cpu') -> None:
        super().__init__(collect_device)
        if not out_file.endswith('.mat'):
            raise ValueError(f'{out_file}: the name must end in .mat')
        self.out_file = out_file
        self.official_file = official_file
        self.is_train = is_train
        self._official: Optional[np.ndarray] = None

    @property
    def dataset_name(self) -> str:
        """``mpii`` or ``flic``.

        Raises:
            ValueError: for data sets without an official format.
        """
        name = (self.dataset_meta or {}).get('dataset_name')
        if name not in _OFFICIAL_VARIABLE:
            raise ValueError(
                f'the data set {name!r} has no official format for '
                f'predictions; {" and ".join(_OFFICIAL_VARIABLE)} have. '
                '--dump writes the predictions of any data set')
        return name

    def check_people(self, dataset: BaseDataset) -> bool:
        """Find out before a long test whether its file can be written.

        Args:
            dataset: whose people will be predicted.

        Returns:
            Whether any of them is annotated; scores need that.

        Raises:
            FileNotFoundError: if the official file is not there.
            ValueError: if the file cannot be written for these people.
        """
        people, is_annotated = [], False
        for index in range(len(dataset)):
            record = dataset.get_data_info(index)
            people.append(_person(record, record['keypoints'], record['bbox']))
            is_annotated |= bool(np.any(record['keypoints_visible'] > 0))
        if not people:
            raise ValueError('the data set has nobody to predict')
        if (self.dataset_name == MPII.name and not is_annotated
                and self.official_file is None):
            raise ValueError(
                'a submission to MPII is made from the whole official file: '
                'say where mpii_human_pose_v1_u12_1.mat is with '
                '--official-annotations')
        self._content(people)
        return is_annotated

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep each person's keypoints and who it is."""
        for sample in data_samples:
            person = _person(sample, sample['pred_instances']['keypoints'],
                             sample['gt_instances']['bboxes'])
            # mmengine makes plain tuples of named ones.
            self.results.append(person._asdict())

    def compute_metrics(self, results: list[dict]) -> dict:
        """Write the file, on the first of several processes."""
        name, content, note = self._content(
            [PredictedPerson(**result) for result in results])
        write_mat(self.out_file, name, content)
        MMLogger.get_current_instance().info(
            f'{len(results)} predictions in {self.out_file}{note}')
        return {}

    def _content(self,
                 people: list[PredictedPerson]) -> tuple[str, np.ndarray, str]:
        """Name and value of the variable, and what the log should add."""
        name = self.dataset_name
        if self.official_file is not None and self._official is None:
            self._official = read_official_file(self.official_file, name)
        official = self._official
        if name == FLIC.name:
            return 'examples', flic_predictions(people, official,
                                                self.is_train), ''
        pred = mpii_predictions(people, official)
        note = '; not a submission, which is of the test images'
        if official is not None:
            images = [
                person.official_index[0] for person in people
                if person.official_index is not None
            ]
            if (official['img_train'].reshape(-1)[images] == 0).all():
                left_out, single = count_unpredicted(people, official)
                note = (f'; {left_out} of the {single} single people to test '
                        'are missing' if left_out else '')
        return 'pred', pred, note


def _person(sample: dict, keypoints: Any, bboxes: Any) -> PredictedPerson:
    """A person out of MMPose's record or sample."""
    index = (sample.get('raw_ann_info') or {}).get('official_index')
    return PredictedPerson(
        image=Path(sample['img_path']).name,
        keypoints=np.asarray(keypoints)[0, :, :2],
        official_index=None if index is None else
        (int(index[0]), int(index[1])),
        bbox=np.asarray(bboxes)[0])


def _no_index(person: PredictedPerson, dataset_name: str) -> str:
    return (f'{person.image}: the annotation file does not say which person '
            f'of {dataset_name}\'s official file this is; use the official '
            'file itself, an .h5 file of the paper\'s code, or what '
            f'tools/prepare_{dataset_name}.py writes')


def _numbered(people: Sequence[PredictedPerson]) -> list[PredictedPerson]:
    """People with the positions in which they and their images come."""
    images: dict[str, int] = {}
    counts: dict[str, int] = {}
    numbered = []
    for person in people:
        image = images.setdefault(person.image, len(images))
        position = counts.get(person.image, 0)
        counts[person.image] = position + 1
        numbered.append(person._replace(official_index=(image, position)))
    return numbered


def _fill_in_known(entry: np.void, people: dict[int, PredictedPerson]) -> None:
    """Give an image of MPII's list the people that are known.

    ``objpos`` and ``scale`` are those of the official file, to a thousandth.
    """
    rects = _structs(max(people) + 1, ['scale', 'objpos'])
    for position, person in people.items():
        left, top, right, bottom = np.asarray(person.bbox, np.float64)
        scale = (right - left) / SCALE_UNIT
        x, y = (left + right) / 2, (top + bottom) / 2 - CENTER_DROP * scale
        rects[0, position]['scale'] = round(scale, 6)
        rects[0, position]['objpos'] = _struct(
            x=round(x + 1, 3), y=round(y + 1, 3))
    name = next(iter(people.values())).image
    entry['image'] = _struct(name=np.array([name]))
    entry['annorect'] = rects


def _with_points(entry: np.ndarray,
                 people: dict[int, PredictedPerson]) -> np.ndarray:
    """An image's ``annorect`` with the predicted joints alone."""
    rects = entry['annorect']
    name = text(entry['image'][0, 0], 'name')
    for position, person in people.items():
        if person.image != name or position >= rects.size:
            raise ValueError(
                f'the official file has {rects.size} people in {name}, where '
                f'person {position} of {person.image} should be: these are '
                'other files\' people')
    if not rects.dtype.names:  # MATLAB's [] for nobody
        return rects
    fields = [*rects.dtype.names]
    if 'annopoints' not in fields:
        fields.append('annopoints')
    changed = _structs(rects.size, fields)
    for position, (old, new) in enumerate(zip(rects.reshape(-1), changed[0])):
        for field in rects.dtype.names:
            new[field] = old[field]
        new['annopoints'] = _empty()
        if position in people:
            new['annopoints'] = _points(people[position].keypoints)
    return changed


def _points(keypoints: np.ndarray) -> np.ndarray:
    """``annopoints`` of (16, 2) joints in 0-based pixels."""
    point = _structs(len(keypoints), ['x', 'y', 'id'])
    for joint, (x, y) in enumerate(np.asarray(keypoints, np.float64) + 1):
        point[0, joint] = (x, y, float(joint))
    return _struct(point=point)


def _struct(**fields: Any) -> np.ndarray:
    """A (1, 1) struct."""
    struct = _structs(1, list(fields))
    for name, value in fields.items():
        struct[0, 0][name] = value
    return struct


def _structs(count: int, names: Sequence[str]) -> np.ndarray:
    """A (1, count) struct array whose fields are MATLAB's []."""
    structs = np.empty((1, count), [(name, object) for name in names])
    for struct in structs[0]:
        for name in names:
            struct[name] = _empty()
    return structs


def _empty() -> np.ndarray:
    return np.zeros((0, 0))
