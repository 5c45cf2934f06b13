"""mmengine metrics over :mod:`hourglass_plugin.evaluation.pck`."""
from abc import abstractmethod
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..skeletons import SKELETONS, Skeleton
from .pck import mean_pck, normalized_distances, pck


class _PCKMetric(BaseMetric):
    """PCK by joint in units of a size that each person has.

    Args:
        thresholds: in sizes of the person; the first is the benchmark's.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    #: How the measure is called, e.g. ``PCKh``.
    title = 'PCK'

    def __init__(self,
                 thresholds: Sequence[float],
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        # mmengine warns of metrics without a prefix; ours is the data set's
        # name, which is known once the data set is.
        super().__init__(collect_device=collect_device, prefix=prefix or 'pck')
        self.prefix = prefix
        if not thresholds or any(not threshold > 0
                                 for threshold in thresholds):
            raise ValueError('thresholds must be positive numbers, but they '
                             f'are {thresholds!r}')
        self.thresholds = tuple(thresholds)

    @property
    def skeleton(self) -> Skeleton:
        """The evaluated data set's skeleton."""
        name = (self.dataset_meta or {}).get('dataset_name')
        if name not in SKELETONS:
            raise ValueError(
                f'{type(self).__name__} knows the data sets '
                f'{", ".join(SKELETONS)}, but the data set is {name!r}')
        return SKELETONS[name]

    @abstractmethod
    def person_size(self, truth: dict) -> float:
        """The person's size in pixels; NaN leaves the person out."""

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Keep what is needed of each person: keypoints and size."""
        for sample in data_samples:
            truth = sample['gt_instances']
            self.results.append(
                dict(
                    predicted=sample['pred_instances']['keypoints'][0, :, :2],
                    truth=truth['keypoints'][0, :, :2],
                    annotated=truth['keypoints_visible'][0] > 0,
                    size=self.person_size(truth)))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """The table of all thresholds, in percent.

        Returns:
            ``<data set>/<title>@<threshold>`` for the mean and
            ``.../<column>`` for each column of the table.
        """
        skeleton = self.skeleton
        predicted, truth, annotated, sizes = (
            np.stack([result[key] for result in results])
            for key in ('predicted', 'truth', 'annotated', 'size'))
        measured = np.isfinite(sizes)
        annotated = annotated[measured]
        distances = normalized_distances(predicted[measured], truth[measured],
                                         sizes[measured])
        columns = {}
        for threshold in self.thresholds:
            scores = pck(distances, annotated, threshold)
            row = {
                column: float(scores[skeleton.indices(joints)].mean())
                for column, joints in skeleton.evaluated.items()
            }
            row['Mean'] = mean_pck(scores, annotated, skeleton.mean_indices)
            columns[f'{self.title}@{threshold:g}'] = row
        self._print(columns, people=len(sizes), left_out=int((~measured).sum()))
        self.prefix = self.prefix or skeleton.name
        metrics = {}
        for name, row in columns.items():
            metrics[name] = row['Mean']
            metrics.update({
                f'{name}/{column}': score
                for column, score in row.items() if column != 'Mean'
            })
        return metrics

    def _print(self, rows: Dict[str, Dict[str, float]], people: int,
               left_out: int) -> None:
        """Write the table to the log."""
        header = ''.join(f'{column:>10}' for column in next(
            iter(rows.values())))
        lines = [f'{"":10}{header}']
        for name, row in rows.items():
            cells = ''.join(f'{score:10.2f}' for score in row.values())
            lines.append(f'{name:10}{cells}')
        note = f', {left_out} without a size left out' if left_out else ''
        MMLogger.get_current_instance().info(
            f'{people} people{note}, percent of correct keypoints\n' +
            '\n'.join(lines))


@METRICS.register_module()
class PCKhMetric(_PCKMetric):
    """PCKh: distances in head sizes, the measure of MPII.

    The head size is 0.6 times the diagonal of the head box, and comes with
    each person from the data set (``head_size``).

    Args:
        thresholds: in head sizes; default 0.5, PCKh@0.5.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    title = 'PCKh'

    def __init__(self,
                 thresholds: Sequence[float] = (0.5, ),
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(thresholds, collect_device, prefix)

    def person_size(self, truth: dict) -> float:
        """0.6 times the diagonal of the head box, in pixels.

        Raises:
            ValueError: if the data set has no head sizes.
        """
        if 'head_size' not in truth:
            raise ValueError('PCKh needs each person\'s head size: give the '
                             'data set its headbox_file')
        return float(np.asarray(truth['head_size']).reshape(-1)[0])


@METRICS.register_module()
class TorsoPCKMetric(_PCKMetric):
    """PCK: distances in torso sizes, the measure of FLIC and LSP.

    The torso size is the distance between right shoulder and left hip. People
    of whom one of the two is not annotated are left out, and counted in the
    log.

    Args:
        thresholds: in torso sizes; default 0.2, PCK@0.2.
        collect_device: where the results of several processes meet.
        prefix: of the logged names; default: the data set's name.
    """

    def __init__(self,
                 thresholds: Sequence[float] = (0.2, ),
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(thresholds, collect_device, prefix)

    def person_size(self, truth: dict) -> float:
        """Distance between the joints of the skeleton's torso, in pixels."""
        first, second = self.skeleton.indices(self.skeleton.torso)
        keypoints = truth['keypoints'][0, :, :2]
        annotated = truth['keypoints_visible'][0] > 0
        size = np.linalg.norm(keypoints[first] - keypoints[second])
        if not (annotated[first] and annotated[second] and size > 0):
            return float('nan')
        return float(size)
