"""PCK metrics for mmengine's evaluator.

They log, in percent, ``<dataset>/<row>`` for the mean and
``<dataset>/<row>/<column>`` for the table's other columns (see
:class:`~.metric_name.MetricName`). The rows are ``<title>@<threshold>``, the
area under the curve ``AUC``, and at the first threshold, the benchmark's,
``/visible`` and ``/occluded`` where the dataset tells them apart, and
``stack_1/...`` and so on with ``test_cfg=dict(eval_all_stacks=True)``. Results
do not depend on order, batches, processes, or on samples repeated to fill the
last batch.
"""
from abc import abstractmethod
from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..skeletons import SKELETONS, Skeleton
from . import table
from .metric_name import MetricName
from .scores import BOX_PCK, PCKH, TORSO_PCK, People, Scores, score_people


class PCKMetric(BaseMetric):
    """PCK by joint, with distances divided by a length of each person.

    Args:
        thresholds: in sizes of the person; the first is the benchmark's, up
            to which the area under the curve reaches. Default: the
            normalizer's.
        collect_device: device to gather the results of several processes on.
        prefix: of the logged names; default: the dataset's name.

    Raises:
        ValueError: if a threshold is not positive and finite.
    """

    #: The length that distances are divided by.
    normalizer = PCKH

    def __init__(self,
                 thresholds: float | Sequence[float] | None = None,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        # mmengine warns of metrics without a prefix; the dataset's name is
        # known once the dataset is built.
        super().__init__(collect_device=collect_device, prefix=prefix or 'pck')
        self.prefix = prefix
        if thresholds is None:
            thresholds = self.normalizer.thresholds
        self._is_explained = False
        self.thresholds = tuple(np.ravel(thresholds).tolist())
        if not self.thresholds or not all(0 < threshold < float('inf')
                                          for threshold in self.thresholds):
            raise ValueError(f'thresholds={thresholds!r} must be positive and '
                             'finite, such as 0.5')

    @property
    def skeleton(self) -> Skeleton:
        """The evaluated dataset's skeleton."""
        name = (self.dataset_meta or {}).get('dataset_name')
        if name not in SKELETONS:
            raise ValueError(
                f'{type(self).__name__} supports {", ".join(SKELETONS)}, not '
                f'{name!r}; use BoxPCKMetric, which works with any dataset')
        return SKELETONS[name]

    @property
    def columns(self) -> table.TableColumns:
        """The columns of the table."""
        return table.skeleton_columns(self.skeleton)

    @abstractmethod
    def person_size(self, sample: dict) -> float:
        """Return the person's size in pixels; NaN leaves the person out."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Store the arrays to evaluate each person; see :meth:`person`."""
        self.results += [self.person(sample) for sample in data_samples]

    def person(self, sample: dict) -> dict[str, Any]:
        """Return the arrays to evaluate one person.

        Args:
            sample: MMPose's sample of one person, as a dictionary.
                ``pred_instances.stack_keypoints`` (1, S, K, 2) and
                ``raw_ann_info.visible`` (K,) are used if present.

        Returns:
            Fields of :class:`~.scores.People`; the last two only if known.
        """
        predicted, truth = sample['pred_instances'], sample['gt_instances']
        result = dict(
            predicted=np.asarray(predicted['keypoints'])[0, :, :2],
            truth=np.asarray(truth['keypoints'])[0, :, :2],
            annotated=_annotated(truth), sizes=self.person_size(sample))
        if 'stack_keypoints' in predicted:
            stacks = np.asarray(predicted['stack_keypoints'])
            result['stacks'] = stacks[0, ..., :2]
        visible = _annotation(sample, 'visible')
        # MMPose's KeypointConverter chooses among the joints, but not in the
        # annotation; it puts weights beside the marks.
        is_converted = np.ndim(truth['keypoints_visible']) == 3
        if visible is not None and not is_converted:
            result['visible'] = np.asarray(visible, bool)
        return result

    def score(self, people: People) -> Scores:
        """Score people with the metric's columns and thresholds."""
        return score_people(people, self.columns, self.normalizer,
                            self.thresholds)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Log the table; return percent by name, without the dataset."""
        if not results:
            raise ValueError(f'no person to score in {self.columns.dataset}: '
                             'the test set is empty')
        scores = self.score(stack_people(results))
        self.prefix = self.prefix or self.columns.dataset
        # Explain the first of many validations only.
        MMLogger.get_current_instance().info(
            scores.text(self.prefix, explained=not self._is_explained))
        self._is_explained = True
        return table.logged_scores(scores.rows)


def stack_people(records: Sequence[dict[str, Any]]) -> People:
    """Stack dictionaries of :meth:`PCKMetric.person`, at least one."""
    return People(**{
        field: np.stack([record[field] for record in records])
        for field in People._fields
        if all(field in record for record in records)})


def _annotated(truth: dict) -> np.ndarray:
    """Return (K,) bool, without the weights of a KeypointConverter."""
    marks = np.asarray(truth['keypoints_visible'])[0]
    return marks.reshape(len(marks), -1)[:, 0] > 0


def _annotation(sample: dict, name: str) -> Any:
    """Return a dataset's additional annotation of a person, or None."""
    annotation = sample.get('raw_ann_info')
    return annotation.get(name) if isinstance(annotation, dict) else None


@METRICS.register_module()
class PCKhMetric(PCKMetric):
    """PCKh: distances in head sizes, the measure of MPII.

    The head size is 0.6 times the diagonal of the head box, and comes with
    each person from the dataset (``head_size``).

    Args:
        thresholds: in head sizes; default (0.5, 0.2, 0.1), 0.5 being the
            benchmark's. Other arguments: :class:`PCKMetric`.
    """

    normalizer = PCKH

    def person_size(self, sample: dict) -> float:
        """Return the head size in pixels; ValueError if there is none."""
        truth = sample['gt_instances']
        if 'head_size' not in truth:
            raise ValueError(
                "PCKh needs each person's head size: set the dataset's "
                'headbox_file, or use annotations with head boxes')
        return float(np.asarray(truth['head_size']).item())


@METRICS.register_module()
class TorsoPCKMetric(PCKMetric):
    """PCK: distances in torso sizes, the measure of FLIC and LSP.

    The torso size is the distance between right shoulder and left hip: the
    dataset's ``raw_ann_info.torso_size`` if present, as FLIC's, else that of
    the annotated joints. People without it are left out, and counted in the
    log.

    Args:
        thresholds: in torso sizes; default (0.2, 0.1, 0.5), 0.2 being the
            benchmark's. Other arguments: :class:`PCKMetric`.
    """

    normalizer = TORSO_PCK

    def person_size(self, sample: dict) -> float:
        """Return the distance of right shoulder and left hip, in pixels."""
        known = _annotation(sample, 'torso_size')
        if known is not None:
            return float(known)
        truth = sample['gt_instances']
        return self.skeleton.torso_size(
            np.asarray(truth['keypoints'])[0, :, :2], _annotated(truth))


@METRICS.register_module()
class BoxPCKMetric(PCKMetric):
    """PCK in units of the larger side of the person's box, for any dataset.

    Yang and Ramanan ("Articulated human detection with flexible mixtures of
    parts", 2013) call a keypoint correct within alpha * max(h, w). The box is
    the dataset's without padding, ``gt_instances.bboxes``. People with an
    empty box are left out, and counted in the log.

    The table has a column for each keypoint, or each pair of a left and a
    right one; for MPII, FLIC and LSP it has the benchmark's columns.

    Args:
        thresholds: in sides of the box; default (0.2, 0.1, 0.05). Other
            arguments: :class:`PCKMetric`.
    """

    normalizer = BOX_PCK

    @property
    def columns(self) -> table.TableColumns:
        """The columns of the table."""
        return table.metainfo_columns(self.dataset_meta)

    def person_size(self, sample: dict) -> float:
        """Return the larger side of the box in pixels; NaN if it is empty."""
        truth = sample['gt_instances']
        if 'bboxes' not in truth:
            raise ValueError('BoxPCKMetric needs gt_instances.bboxes: '
                             'annotate a bounding box for each person')
        (left, top, right, bottom), = np.asarray(truth['bboxes'])
        size = max(right - left, bottom - top)
        return float(size) if size > 0 else float('nan')


@METRICS.register_module()
class MedianErrorMetric(BoxPCKMetric):
    """Median distance from the ground truth in pixels of the image.

    The table has the columns of :class:`BoxPCKMetric`; ``Mean`` is the median
    of all keypoints. Lower is better.
    """

    def person_size(self, sample: dict) -> float:
        """Return 1: distances are not divided."""
        return 1.0

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Log the table; return pixels by name, without the dataset."""
        people = stack_people(results)
        distances = np.linalg.norm(people.predicted - people.truth, axis=-1)
        row = {}
        for column, joints in {
                **self.columns.joints, 'Mean': self.columns.mean}.items():
            found = distances[:, joints][people.annotated[:, joints]]
            row[column] = float(np.median(found)) if found.size else nan
        self.prefix = self.prefix or self.columns.dataset
        rows = {MetricName('', None, 'MedianError'): row}
        MMLogger.get_current_instance().info(
            f'{self.prefix}: median distance in pixels\n' +
            table.format_table(rows))
        return table.logged_scores(rows)
