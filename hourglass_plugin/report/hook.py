"""Report of a test, from the predictions of the test itself."""
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import mmengine
import mmpose
import numpy as np
import torch
from mmengine.dist import collect_results
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample

from .. import __version__
from ..atomic_files import atomic_file
from ..evaluation.metrics import PCKMetric, stack_people
from ..models.wrapper import without_wrapper
from ..skeletons import Skeleton
from ..visualization.drawing import skeleton_from_metainfo
from .analysis import best_median_worst
from .content import Numbers, count_numbers
from .pictures import draw_crop, draw_person, draw_stacks, predict_heatmaps

#: Number of the best, the median and the worst people drawn.
_NUM_PEOPLE = 8
_WHYS = dict(best='the best', median='a median person', worst='the worst')


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``index.html`` about a test: one page without other files.

    The evaluator's first metric of this package is reported. The model runs
    again for the people whose heatmaps are shown.

    Args:
        out_dir: folder of the page; it is made when the page is complete.
        facts: additional facts about the test, name -> value.
    """

    # After hooks that give the runner its own model back.
    priority = 'VERY_LOW'

    def __init__(self,
                 out_dir: str | Path,
                 facts: dict[str, str] | None = None) -> None:
        self.out_dir = Path(out_dir)
        self.facts = facts or {}

    def before_test_epoch(self, runner: Runner) -> None:
        """Read the order of the samples."""
        # Of this sampler, unlike of torch's, it is the same each time.
        self._order = iter(list(runner.test_dataloader.sampler))
        self._records: list[dict[str, Any]] = []

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: dict | None = None,
                        outputs: Sequence[PoseDataSample] = ()) -> None:
        """Keep the numbers of a batch."""
        metric = reported_metric(runner)
        for sample, index in zip(outputs, self._order):
            self._records.append(dict(
                metric.person(sample.to_dict()), index=index,
                path=str(sample.img_path), image=Path(sample.img_path).name,
                center=np.asarray(sample.input_center),
                scale=np.asarray(sample.input_scale)))

    def after_test(self, runner: Runner) -> None:
        """Write the page, with the runner's own model."""
        records = collect_results(self._records,
                                  len(runner.test_dataloader.dataset))
        self._records = []
        if records is None:  # not the first process
            return
        records.sort(key=lambda record: record['index'])
        page = self._page(runner, records)
        path = self.out_dir / 'index.html'
        with atomic_file(path) as partial:
            partial.write_text(page, encoding='utf-8')
        runner.logger.info(f'Report: {path}')

    def _page(self, runner: Runner, records: list[dict[str, Any]]) -> str:
        """Return the page."""
        from .page import write_page
        metric = reported_metric(runner)
        skeleton = skeleton_from_metainfo(metric.dataset_meta)
        people = stack_people(records)
        numbers = count_numbers(people, metric.score(people),
                                metric.thresholds,
                                metric.dataset_meta['flip_indices'])
        ranked = best_median_worst(numbers.errors, _NUM_PEOPLE)
        dataset = runner.test_dataloader.dataset
        records = [records[index] for index in numbers.positions]
        shown = []
        for position, why in _whose_heatmaps(ranked, numbers).items():
            record = records[position]
            heatmaps = predict_heatmaps(runner.model, dataset, record['index'])
            if heatmaps is None:
                break
            errors = numbers.stack_errors[:, position].tolist()
            shown.append(dict(
                record, why=why,
                errors=errors or [float(numbers.errors[position])],
                crop=draw_crop(heatmaps, record['predicted'], skeleton),
                stacks=draw_stacks(heatmaps)))
        drawn = {
            kind: [_person(records[position], numbers.distances[position],
                           metric.thresholds[0], skeleton)
                   for position in positions]
            for kind, positions in ranked.items()}
        return write_page({**self.facts, **_facts(runner)},
                          skeleton.joints, numbers, drawn, shown)


def reported_metric(runner: Runner) -> PCKMetric:
    """Return the first of this package's metrics; ValueError without one."""
    for metric in runner.test_evaluator.metrics:
        if isinstance(metric, PCKMetric):
            return metric
    raise ValueError("a report needs people with keypoints and one of this "
                     "package's metrics in test_evaluator; BoxPCKMetric works "
                     'with any dataset')


def check_reportable(runner: Runner) -> None:
    """Raise ValueError if a report cannot be written, before a test."""
    reported_metric(runner)
    dataset = runner.test_dataloader.dataset
    # A dataset that joins others returns a sample without this key.
    if not any(
            np.any(dataset.get_data_info(index).get('keypoints_visible', True))
            for index in range(len(dataset))):
        raise ValueError(f'none of the {len(dataset):,} people to test has an '
                         'annotated joint; test without --report')


def _person(record: dict[str, Any], distances: np.ndarray, threshold: float,
            skeleton: Skeleton) -> dict[str, Any]:
    """Return a person for the page; ``distances`` (K,) in sizes."""
    annotated = np.flatnonzero(record['annotated'])
    distances = np.nan_to_num(distances[annotated], nan=np.inf)
    worst = int(distances.argmax())
    return dict(
        record,
        error=float(distances.mean()),
        correct=int((distances <= threshold).sum()),
        joints=len(annotated),
        worst_joint=skeleton.joints[annotated[worst]].replace('_', ' '),
        worst_distance=float(distances[worst]),
        picture=draw_person(record, skeleton))


def _whose_heatmaps(ranked: dict[str, list[int]],
                    numbers: Numbers) -> dict[int, str]:
    """Return the people whose heatmaps are shown: index -> reason."""
    chosen = {ranked[kind][0]: why
              for kind, why in _WHYS.items() if ranked[kind]}
    if len(numbers.stack_errors):
        gains = numbers.stack_errors[0] - numbers.stack_errors[-1]
        gains = np.where(np.isfinite(gains), gains, 0)
        for position in np.argsort(-gains, kind='stable')[:2].tolist():
            if gains[position] > 0:
                chosen.setdefault(position, 'later stacks helped most')
    # The most informative ones first.
    return dict(reversed(chosen.items()))


def _facts(runner: Runner) -> dict[str, str]:
    """Return what was tested, as far as the runner has it."""
    dataset = runner.test_dataloader.dataset
    model: Any = without_wrapper(runner.model)
    count = sum(parameter.numel() for parameter in model.parameters())
    kinds = [type(part).__name__
             for part in (model, model.backbone, model.head)]
    return {
        'Dataset':
        f'{type(dataset).__name__}, {getattr(dataset, "ann_file", "")}',
        'Model': f'{", ".join(kinds)}; {count:,} parameters',
        'test_cfg': str(model.test_cfg),
        'Date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'Versions':
        f'hourglass_plugin {__version__}, PyTorch {torch.__version__}, '
        f'MMPose {mmpose.__version__}, MMEngine {mmengine.__version__}'}
