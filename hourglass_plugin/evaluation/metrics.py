"""mmengine metrics over :mod:`hourglass_plugin.evaluation.scores`.

All of them log, in percent, ``<data set>/<row>`` for the mean and ``<data
set>/<row>/<column>`` for the table's other columns. The rows are
``<title>@<threshold>``, the area under the curve ``AUC``, and at the first
threshold, the benchmark's, ``<title>@<threshold>/visible`` and ``/occluded``
where the data set tells them apart, and ``stack_1/<title>@<threshold>`` and so
on where the head predicts with each of several stacks (``test_cfg=dict(
eval_all_stacks=True)``). Nothing depends on the order of the people, on how they
are spread over batches and processes, or on repeated people that fill up the
last batch.
"""
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Optional, Union

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..skeletons import SKELETONS, Skeleton
from .scores import (
    BOX_PCK,
    PCKH,
    TORSO_PCK,
    Columns,
    Normalizer,
    People,
    Scores,
    metainfo_columns,
    score_people,
    skeleton_columns,
)


class PCKMetric(BaseMetric):
    """PCK by joint in units of a size that each person has.

    Args:
        thresholds: in sizes of the person; the first is the benchmark's, up
            to which the area under the curve reaches. Default: the measure's.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    #: How people are measured.
    measure: Normalizer

    def __init__(self,
                 thresholds: Union[float, Sequence[float], None] = None,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        # mmengine warns of metrics without a prefix; ours is the data set's
        # name, which is known once the data set is.
        super().__init__(collect_device=collect_device, prefix=prefix or 'pck')
        self.prefix = prefix
        if thresholds is None:
            thresholds = self.measure.thresholds
        self._is_explained = False
        self.thresholds = tuple(np.ravel(thresholds).tolist())
        if not self.thresholds or not all(0 < threshold < float('inf')
                                          for threshold in self.thresholds):
            raise ValueError('thresholds must be positive numbers, but they '
                             f'are {thresholds!r}')

    @property
    def skeleton(self) -> Skeleton:
        """The evaluated data set's skeleton."""
        name = (self.dataset_meta or {}).get('dataset_name')
        if name not in SKELETONS:
            raise ValueError(
                f'{type(self).__name__} knows the data sets '
                f'{", ".join(SKELETONS)}, but the data set is {name!r}; '
                'BoxPCKMetric works with any')
        return SKELETONS[name]

    @property
    def columns(self) -> Columns:
        """The columns of the table."""
        return skeleton_columns(self.skeleton)

    @abstractmethod
    def person_size(self, sample: dict) -> float:
        """The person's size in pixels; NaN leaves the person out."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what is needed of each person.

        Args:
            data_batch: not used.
            data_samples: MMPose's samples as dictionaries, of one person
                each. ``pred_instances.stack_keypoints`` (1, S, K, 2) and
                ``raw_ann_info.visible`` (K,) are used where they are there.
        """
        self.results += [self.person(sample) for sample in data_samples]

    def person(self, sample: dict) -> dict[str, Any]:
        """What is needed of one person.

        Args:
            sample: MMPose's, as a dictionary; see :meth:`process`.

        Returns:
            A value for each field of :class:`~.scores.People`; ``visible``
            and ``stacks`` only where they are known.
        """
        predicted, truth = sample['pred_instances'], sample['gt_instances']
        result = dict(
            predicted=np.asarray(predicted['keypoints'])[0, :, :2],
            truth=np.asarray(truth['keypoints'])[0, :, :2],
            annotated=_annotated(truth),
            sizes=self.person_size(sample))
        if 'stack_keypoints' in predicted:
            stacks = np.asarray(predicted['stack_keypoints'])
            result['stacks'] = stacks[0, ..., :2]
        visible = _annotation(sample, 'visible')
        if visible is not None and not _is_converted(truth):
            result['visible'] = np.asarray(visible, bool)
        return result

    def check_dataset(self, dataset: BaseDataset) -> None:
        """Find out before a long training whether it can be evaluated.

        Args:
            dataset: whose people will be predicted, and whose metainfo the
                metric has.

        Raises:
            ValueError: if the metric does not know the data set, or it has
                not what the metric measures with.
        """
        if self.dataset_meta is not None:
            _ = self.columns  # raises for a data set that it does not know

    def score(self, people: People) -> Scores:
        """Score people with the metric's measure, columns and thresholds.

        Raises:
            ValueError: if there is nobody.
        """
        return score_people(
            **people._asdict(),
            columns=self.columns,
            measure=self.measure,
            thresholds=self.thresholds)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Write the table to the log.

        Returns:
            The scores in percent by name, without the data set's.
        """
        data_set = self.columns.data_set
        if not results:
            raise ValueError(f'there is nobody to score in {data_set}')
        scores = self.score(stack_people(results))
        self.prefix = self.prefix or data_set
        # After the first of many validations everybody knows.
        MMLogger.get_current_instance().info(
            scores.text(self.prefix, explained=not self._is_explained))
        self._is_explained = True
        return scores.logged()


def stack_people(records: Sequence[dict[str, Any]]) -> People:
    """Arrays of everybody.

    Args:
        records: those of :meth:`PCKMetric.person`, and more; at least one.
    """

    def stacked(key: str) -> np.ndarray:
        """(N, ...) of everybody."""
        return np.stack([record[key] for record in records])

    def known(key: str) -> Optional[np.ndarray]:
        """The same; None if it is not known of everybody."""
        everybody = all(key in record for record in records)
        return stacked(key) if everybody else None

    return People(
        stacked('predicted'), stacked('truth'), stacked('annotated'),
        stacked('sizes'), known('visible'), known('stacks'))


def _is_converted(truth: dict) -> bool:
    """Whether MMPose's KeypointConverter chose the joints.

    The annotation does not know of it; it puts weights beside the marks.
    """
    return np.ndim(truth['keypoints_visible']) == 3


def _annotated(truth: dict) -> np.ndarray:
    """(K,) bool, without the weights of a KeypointConverter."""
    marks = np.asarray(truth['keypoints_visible'])[0]
    return marks.reshape(len(marks), -1)[:, 0] > 0


def _annotation(sample: dict, name: str) -> Any:
    """What the data set adds about a person, or None."""
    annotation = sample.get('raw_ann_info')
    return annotation.get(name) if isinstance(annotation, dict) else None


_NO_HEAD_SIZE = ('PCKh needs each person\'s head size: give the data set its '
                 'headbox_file, or annotations that have head boxes')


@METRICS.register_module()
class PCKhMetric(PCKMetric):
    """PCKh: distances in head sizes, the measure of MPII.

    The head size is 0.6 times the diagonal of the head box, and comes with
    each person from the data set (``head_size``).

    Args:
        thresholds: in head sizes; default 0.5, which is the benchmark's, 0.2
            and 0.1.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    measure = PCKH

    def person_size(self, sample: dict) -> float:
        """0.6 times the diagonal of the head box, in pixels.

        Raises:
            ValueError: if the data set has no head sizes.
        """
        truth = sample['gt_instances']
        if 'head_size' not in truth:
            raise ValueError(_NO_HEAD_SIZE)
        return float(np.asarray(truth['head_size']).item())

    def check_dataset(self, dataset: BaseDataset) -> None:
        """See :class:`PCKMetric`; there must be head sizes, too."""
        super().check_dataset(dataset)
        if len(dataset) and 'head_size' not in dataset.get_data_info(0):
            raise ValueError(_NO_HEAD_SIZE)


@METRICS.register_module()
class TorsoPCKMetric(PCKMetric):
    """PCK: distances in torso sizes, the measure of FLIC and LSP.

    The torso size is the distance between right shoulder and left hip: what
    the data set says (``raw_ann_info.torso_size``; FLIC's is that of the
    person's own left and right, whatever the labels are), else what the joints
    say. People of whom one of the two is not annotated are left out, and
    counted in the log.

    Args:
        thresholds: in torso sizes; default 0.2, which is the benchmark's, 0.1
            and 0.5.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    measure = TORSO_PCK

    def person_size(self, sample: dict) -> float:
        """Distance between right shoulder and left hip, in pixels."""
        known = _annotation(sample, 'torso_size')
        if known is not None:
            return float(known)
        truth = sample['gt_instances']
        return self.skeleton.torso_size(
            np.asarray(truth['keypoints'])[0, :, :2], _annotated(truth))

    def check_dataset(self, dataset: BaseDataset) -> None:
        """See :class:`PCKMetric`; there must be torso sizes, too."""
        super().check_dataset(dataset)
        if (len(dataset) and not self.skeleton.torso and _annotation(
                dataset.get_data_info(0), 'torso_size') is None):
            raise ValueError(
                f'TorsoPCKMetric: {self.skeleton.name} is not measured in '
                'torso sizes; BoxPCKMetric measures any data set')


@METRICS.register_module()
class BoxPCKMetric(PCKMetric):
    """PCK in units of the larger side of the person's box, for any data set.

    Yang and Ramanan ("Articulated human detection with flexible mixtures of
    parts", 2013) call a keypoint correct within alpha * max(h, w). The box is
    the data set's, ``gt_instances.bboxes``: the annotated one without the
    padding of ``GetBBoxCenterScale``, which MMPose's ``CocoDataset`` cuts to
    the image. People whose box is empty are left out, and counted in the log.

    The table has a column for each keypoint, or each pair of a left and a
    right one; of our own data sets it has the benchmark's columns.

    Args:
        thresholds: in sides of the box; default 0.2, 0.1 and 0.05.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    measure = BOX_PCK

    @property
    def columns(self) -> Columns:
        """The columns of the table."""
        return metainfo_columns(self.dataset_meta)

    def person_size(self, sample: dict) -> float:
        """The larger side of the box, in pixels.

        Raises:
            ValueError: if the data set has no boxes.
        """
        truth = sample['gt_instances']
        if 'bboxes' not in truth:
            raise ValueError('BoxPCK needs each person\'s box, but the data '
                             'set gives no bboxes')
        (left, top, right, bottom), = np.asarray(truth['bboxes'])
        size = max(right - left, bottom - top)
        return float(size) if size > 0 else float('nan')
