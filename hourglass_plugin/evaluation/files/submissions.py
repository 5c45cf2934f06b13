"""Write predictions in the formats of MPII's and FLIC's own tools, 1-based.

MPII: the file ``pred_keypoints_mpii.mat`` that its authors ask for
("Evaluation on MPII Human Pose Dataset", Single Person Pose Estimation). It
has ``pred``, the struct array ``RELEASE.annolist(RELEASE.img_train == 0)`` of
the official file with the predicted joints::

    pred(image).annorect(person).annopoints.point(k).x, .y, .id    id = 0..15

Images and people without prediction are copied from the official file.

FLIC has no server. Predictions have the format of its ``examples.mat``:
``examples``, a struct array with ``filepath``, ``coords`` (2, 29),
``istrain``, ``istest``.
"""
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from scipy.io import savemat

from ...atomic_files import atomic_file
from ...datasets.readers.flic import COORDS_COLUMNS, NUM_COORDS_COLUMNS
from ...datasets.readers.matlab import load_matlab, text
from ...skeletons import FLIC, MPII

#: The variable in the official file of each dataset.
_OFFICIAL_VARIABLE = {MPII.name: 'RELEASE', FLIC.name: 'examples'}


class PredictedPerson(NamedTuple):
    """A person's prediction, in 0-based pixels."""

    image: str  #: name of the image file, without folders
    keypoints: np.ndarray  #: (K, 2) x and y
    #: index of the image in the official list and of the person in the image,
    #: from 0; None if the annotation file does not have it
    official_index: tuple[int, int] | None


def mpii_predictions(people: Sequence[PredictedPerson],
                     release: np.ndarray) -> np.ndarray:
    """Return predictions as MPII's ``pred``, a (1, N) struct array.

    People of the test images: every test image in the official order, with
    every ``annorect`` of the official file and without its annotated joints.
    People of the training images: their images only.

    Args:
        people: predictions, (16, 2) each, in any order.
        release: ``RELEASE`` of the official file, as scipy reads it.

    Raises:
        ValueError: if an official index is missing, repeated or unknown.
    """
    by_image: dict[int, dict[int, PredictedPerson]] = {}
    for (image, position), person in _by_index(people).items():
        by_image.setdefault(image, {})[position] = person
    images = sorted(by_image)
    annolist = release['annolist'].reshape(-1)
    is_test = release['img_train'].reshape(-1) == 0
    if images[-1] >= len(annolist):
        raise ValueError(f'the official file has {len(annolist)} images, but '
                         f'image {images[-1]} was predicted; use the file of '
                         'the annotations')
    if is_test[images].all():
        images = np.flatnonzero(is_test).tolist()
    pred = annolist[None, images].copy()
    for entry, image in zip(pred[0], images):
        entry['annorect'] = _with_points(entry, by_image.get(image, {}))
    return pred


def count_unpredicted(people: Sequence[PredictedPerson],
                      release: np.ndarray) -> int:
    """Count MPII's single people of the test images without a prediction."""
    is_test = release['img_train'].reshape(-1) == 0
    single = {(image, int(position) - 1)
              for image, found in enumerate(
                  release['single_person'].reshape(-1)) if is_test[image]
              for position in np.ravel(found)}
    return len(single - {person.official_index for person in people})


def flic_predictions(people: Sequence[PredictedPerson],
                     examples: np.ndarray) -> np.ndarray:
    """Return predictions as FLIC's ``examples``, a (1, N) struct array.

    Left and right are those of the training labels.
    In the official order, with all fields of the file but ``coords``, which is
    NaN for FLIC's other joints.

    Args:
        people: predictions, (11, 2) each, in any order.
        examples: of the official file, as scipy reads it.

    Raises:
        ValueError: if a person is not in ``examples``, or is there twice.
    """
    examples = examples.reshape(-1)
    by_row = {row: person for (row, _), person in sorted(
        _by_index(people).items())}
    for row, person in by_row.items():
        if row >= len(examples) or (person.image != text(
                examples[row], 'filepath')):
            raise ValueError(f'the official file has no {person.image}, '
                             f'which was predicted, in row {row}; use the '
                             'examples.mat of the annotations')
    found = examples[None, list(by_row)].copy()
    for entry, person in zip(found[0], by_row.values()):
        coords = np.full((2, NUM_COORDS_COLUMNS), np.nan)
        coords[:, COORDS_COLUMNS] = np.asarray(person.keypoints,
                                               np.float64).T + 1
        entry['coords'] = coords
    return found


def read_official_file(path: str, dataset_name: str) -> np.ndarray:
    """Read the official file's ``RELEASE`` (MPII) or ``examples`` (FLIC)."""
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

    See :func:`mpii_predictions` and :func:`flic_predictions`;
    ``tools/test.py --out-official`` adds it to a config's metrics.

    Args:
        out_file: name of the MATLAB file, ending in ``.mat``.
        official_file: ``mpii_human_pose_v1_u12_1.mat`` or ``examples.mat``,
            from which the rest of the structs is copied.
        collect_device: device to gather the results of several processes on.

    Raises:
        ValueError: if the name does not end in ``.mat``.
    """

    default_prefix = 'official'

    def __init__(self,
                 out_file: str,
                 official_file: str | None = None,
                 collect_device: str = 'cpu') -> None:
        super().__init__(collect_device)
        if not out_file.endswith('.mat'):
            raise ValueError(f'{out_file}: the name must end in .mat')
        self.out_file = out_file
        self.official_file = official_file
        self._official: np.ndarray | None = None

    @property
    def dataset_name(self) -> str:
        """``mpii`` or ``flic``; ValueError for datasets without a format."""
        name = (self.dataset_meta or {}).get('dataset_name')
        if name not in _OFFICIAL_VARIABLE:
            raise ValueError(
                f'the dataset {name!r} has no official format, unlike '
                f'{" and ".join(_OFFICIAL_VARIABLE)}; use --dump')
        return name

    def check_people(self, dataset: BaseDataset) -> bool:
        """Check that a file can be written; True if a person is annotated.

        Raises:
            FileNotFoundError: if the official file is missing.
            ValueError: if the file cannot be written for these people.
        """
        records = [*map(dataset.get_data_info, range(len(dataset)))]
        if not records:
            raise ValueError('the dataset has no person to predict')
        self._content([_person(each, each['keypoints']) for each in records])
        return any(
            np.any(record['keypoints_visible'] > 0) for record in records)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Store each person's keypoints and identity."""
        # As dictionaries: mmengine makes plain tuples of named ones.
        self.results += [
            _person(sample, sample['pred_instances']['keypoints'])._asdict()
            for sample in data_samples]

    def compute_metrics(self, results: list[dict]) -> dict:
        """Write the file, on the first of several processes."""
        people = [PredictedPerson(**result) for result in results]
        name, content = self._content(people)
        write_mat(self.out_file, name, content)
        logger = MMLogger.get_current_instance()
        logger.info(f'{len(results)} predictions in {self.out_file}')
        if name == 'pred' and self._official is not None:
            missing = count_unpredicted(people, self._official)
            if missing:
                logger.warning(
                    f"{missing} single people of MPII's test images have no "
                    'prediction: this is not a submission')
        return {}

    def _content(self,
                 people: list[PredictedPerson]) -> tuple[str, np.ndarray]:
        """Return name and value of the variable."""
        name = self.dataset_name
        if self.official_file is None:
            raise ValueError(
                f'predictions of {name} need its official file: name '
                'mpii_human_pose_v1_u12_1.mat or examples.mat with '
                '--official-annotations')
        if self._official is None:
            self._official = read_official_file(self.official_file, name)
        if name == FLIC.name:
            return 'examples', flic_predictions(people, self._official)
        return 'pred', mpii_predictions(people, self._official)


def _person(sample: dict, keypoints: Any) -> PredictedPerson:
    """Return the person of MMPose's record or sample."""
    index = (sample.get('raw_ann_info') or {}).get('official_index')
    return PredictedPerson(
        Path(sample['img_path']).name, np.asarray(keypoints)[0, :, :2],
        None if index is None else (int(index[0]), int(index[1])))


def _by_index(people: Sequence[PredictedPerson]
              ) -> dict[tuple[int, int], PredictedPerson]:
    """Return people by official index; ValueError if missing or repeated."""
    found: dict[tuple[int, int], PredictedPerson] = {}
    for person in people:
        index = person.official_index
        if index is None:
            raise ValueError(
                f'{person.image}: this person has no index in the official '
                'file: use its annotations, or converted ones')
        if index in found:
            raise ValueError(f'{person.image}: person {index[1]} of image '
                             f'{index[0]} was predicted twice; test each '
                             'person once')
        found[index] = person
    return found


def _with_points(entry: np.void,
                 people: dict[int, PredictedPerson]) -> np.ndarray:
    """Return an image's ``annorect`` with the predicted joints only."""
    rects = entry['annorect']
    name = text(entry['image'][0, 0], 'name')
    for position, person in people.items():
        if person.image != name or position >= rects.size:
            raise ValueError(
                f'the official file has {rects.size} people in {name}, not '
                f'person {position} of {person.image} that was predicted; '
                'use the official file of the annotations')
    if not rects.dtype.names:  # MATLAB's [] of an image without people
        return rects
    names = dict.fromkeys((*rects.dtype.names, 'annopoints'))
    changed = np.empty((1, rects.size), [(name, object) for name in names])
    for name in rects.dtype.names:
        changed[name][0] = rects[name].reshape(-1)
    for position, rect in enumerate(changed[0]):
        # MATLAB's [], or a struct.
        rect['annopoints'] = np.zeros((0, 0)) if (
            position not in people) else dict(point=_points(people[position]))
    return changed


def _points(person: PredictedPerson) -> np.ndarray:
    """Return a (1, K) struct array with x and y, counted from 1, and id."""
    keypoints = np.asarray(person.keypoints, np.float64) + 1
    return np.array([[(x, y, float(joint))
                      for joint, (x, y) in enumerate(keypoints)]],
                    [(name, object) for name in ('x', 'y', 'id')])
