"""A report of a test, from the predictions of the test itself."""
import platform
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from mmengine.dist import collect_results
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample
from torch.utils.data import Dataset

from .. import __version__
from ..atomic_files import atomic_file
from ..evaluation.metrics import PCKMetric, stack_people
from ..visualization.drawing import skeleton_from_metainfo
from .analysis import best_median_worst
from .content import Numbers, Person, PersonHeatmaps, Report, count_numbers
from .pictures import (
    draw_crop,
    draw_person,
    draw_stacks,
    figure_joints,
    predict_heatmaps,
)


@HOOKS.register_module()
class ReportHook(Hook):
    """Writes ``index.html`` about a test: one page that needs no other file.

    The evaluator must have one of our metrics, the first of which is
    reported. Predictions are collected while they are made, with a few
    numbers of each person; the model runs once more only for the people whose
    heatmaps are shown. With several processes the first one writes.

    Args:
        out_dir: folder of the page; it is made when the page is complete.
        facts: what the page says of the test besides what the hook finds out.
        num_people: how many of the best, the median and the worst people are
            drawn.

    Raises:
        ValueError: if a number is out of range.
    """

    # After hooks that give the runner its own model back.
    priority = 'VERY_LOW'

    def __init__(self,
                 out_dir: Union[str, Path],
                 facts: Optional[dict[str, str]] = None,
                 num_people: int = 8) -> None:
        if num_people < 1:
            raise ValueError(f'num_people must be 1 or more, but is '
                             f'{num_people}')
        self.out_dir = Path(out_dir)
        self.facts = facts or {}
        self.num_people = num_people

    def before_test_epoch(self, runner: Runner) -> None:
        """See who will be predicted, in which order."""
        # Its order is the same each time, unlike that of torch's samplers.
        self._order: Iterator[int] = iter(
            list(runner.test_dataloader.sampler))
        self._records: list[dict[str, Any]] = []

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Sequence[PoseDataSample] = ()) -> None:
        """Keep what the report needs of a batch."""
        metric = reported_metric(runner)
        for sample, index in zip(outputs, self._order):
            self._records.append(
                dict(
                    metric.person(sample.to_dict()),
                    index=index,
                    path=str(sample.img_path),
                    center=np.asarray(sample.input_center),
                    scale=np.asarray(sample.input_scale)))

    def after_test(self, runner: Runner) -> None:
        """Write the page."""
        # With the runner's own model: a fast one may have no other stacks.
        records = collect_results(self._records,
                                  len(runner.test_dataloader.dataset))
        self._records = []
        if records is None:  # another process has them
            return
        from .page import write_page
        records.sort(key=lambda record: record['index'])
        page = write_page(self._report(runner, records))
        path = self.out_dir / 'index.html'
        with atomic_file(path) as partial:
            partial.write_text(page, encoding='utf-8')
        runner.logger.info(f'Report: {path}')

    def _report(self, runner: Runner, records: list[dict[str, Any]]) -> Report:
        """Everything on the page, of everybody's records."""
        metric = reported_metric(runner)
        skeleton = skeleton_from_metainfo(metric.dataset_meta)
        people = stack_people(records)
        numbers = count_numbers(people, metric.score(people),
                                metric.thresholds,
                                metric.dataset_meta['flip_indices'])
        ranked = best_median_worst(numbers.errors, self.num_people)
        folder = _image_folder(runner.test_dataloader.dataset)

        def record_of(position: int) -> dict[str, Any]:
            return records[numbers.positions[position]]

        def image_of(position: int) -> str:
            path = Path(record_of(position)['path'])
            if folder is None or not path.is_relative_to(folder):
                return path.name
            return path.relative_to(folder).as_posix()

        def person(position: int) -> Person:
            record = record_of(position)
            annotated = np.flatnonzero(record['annotated'])
            distances = np.nan_to_num(
                numbers.distances[position, annotated], nan=np.inf)
            worst = int(distances.argmax())
            return Person(
                number=record['index'],
                image=image_of(position),
                path=record['path'],
                error=float(numbers.errors[position]),
                correct=int((distances <= metric.thresholds[0]).sum()),
                joints=len(annotated),
                worst_joint=_words(skeleton.joints[annotated[worst]]),
                worst_distance=float(distances[worst]),
                picture=draw_person(record, skeleton))

        shown = []
        alone = figure_joints(skeleton.joints)
        for position, why in _whose_heatmaps(ranked, numbers).items():
            record = record_of(position)
            heatmaps = predict_heatmaps(runner.model,
                                        runner.test_dataloader.dataset,
                                        record['index'])
            if heatmaps is None:
                break
            by_stack = numbers.stack_errors[:, position].tolist()
            shown.append(
                PersonHeatmaps(
                    why=why,
                    number=record['index'],
                    image=image_of(position),
                    errors=by_stack or [float(numbers.errors[position])],
                    crop=draw_crop(heatmaps, record['predicted'], skeleton),
                    joints=[_words(skeleton.joints[joint]) for joint in alone],
                    stacks=draw_stacks(heatmaps, alone)))
        return Report(
            facts={
                **self.facts,
                **_facts(runner, numbers)
            },
            joints=skeleton.joints,
            numbers=numbers,
            people={
                kind: [person(position) for position in positions]
                for kind, positions in ranked.items()
            },
            heatmaps=shown)


def reported_metric(runner: Runner) -> PCKMetric:
    """The metric that a test's report is of: the first of ours.

    Raises:
        ValueError: if there is none.
    """
    for metric in runner.test_evaluator.metrics:
        if isinstance(metric, PCKMetric):
            return metric
    raise ValueError(
        'a report needs PCKhMetric, TorsoPCKMetric or BoxPCKMetric in the '
        "config's test_evaluator (BoxPCKMetric works with any data set), and "
        'people whose joints are annotated')


def check_reportable(runner: Runner) -> None:
    """Find out before a long test whether there will be a report.

    Args:
        runner: with its test loop.

    Raises:
        ValueError: if no metric of ours is in the evaluator, or nobody has an
            annotated joint.
    """
    reported_metric(runner)
    dataset = runner.test_dataloader.dataset
    # Most often the first one is.
    if not any(_is_annotated(dataset.get_data_info(index))
               for index in range(len(dataset))):
        raise ValueError(
            f'none of the {len(dataset):,} people to test has an annotated '
            'joint, so there is no truth to report errors from; test without '
            '--report')


def _is_annotated(person: dict) -> bool:
    # Of a data set that joins others it is a sample that was built already.
    marks = person.get('keypoints_visible')
    return marks is None or bool(np.any(marks))


def _image_folder(dataset: Dataset) -> Optional[Path]:
    """Where a data set's photographs are, if that is one folder."""
    prefix = getattr(dataset, 'data_prefix', None) or {}
    return Path(prefix['img']) if prefix.get('img') else None


def _words(joint: str) -> str:
    return joint.replace('_', ' ')


def _whose_heatmaps(ranked: dict[str, list[int]],
                    numbers: Numbers) -> dict[int, str]:
    """Position of a person -> why its heatmaps are worth a look."""
    whys = dict(
        best='the best',
        median='a median person',
        worst='the worst')
    chosen = {
        ranked[kind][0]: why
        for kind, why in whys.items() if ranked[kind]
    }
    if len(numbers.stack_errors):
        gains = numbers.stack_errors[0] - numbers.stack_errors[-1]
        gains[~np.isfinite(gains)] = -np.inf
        for position in np.argsort(-gains, kind='stable')[:2].tolist():
            if gains[position] > 0:
                chosen.setdefault(position, 'later stacks helped most')
    # The most telling ones first.
    return dict(reversed(chosen.items()))


def _facts(runner: Runner, numbers: Numbers) -> dict[str, str]:
    """What was tested, as far as the runner knows."""
    dataset = runner.test_dataloader.dataset
    model = runner.model
    model = model.module if is_model_wrapper(model) else model
    weights = sum(weight.numel() for weight in model.parameters())
    total = len(numbers.positions) + numbers.scores.num_left_out
    kinds = [
        type(part).__name__
        for part in (model, getattr(model, 'backbone', None),
                     getattr(model, 'head', None)) if part is not None
    ]
    settings = model.test_cfg or {}
    return {
        'Data set':
        f'{type(dataset).__name__}, '
        f'{getattr(dataset, "ann_file", "") or "no annotation file"}',
        'People':
        f'{total:,}, of whom {numbers.scores.num_people:,} are scored',
        'Model':
        f'{", ".join(kinds)}; {weights:,} weights',
        'Flip test':
        'yes, averaged with the mirrored image'
        if settings.get('flip_test') else 'no',
        'Device':
        f'{runner.world_size} x {next(model.parameters()).device}',
        'Date':
        datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'Versions':
        ', '.join([f'hourglass_plugin {__version__}', *_versions()]),
    }


def _versions() -> Iterator[str]:
    yield f'Python {platform.python_version()}'
    for package in ('torch', 'mmpose', 'mmengine', 'numpy'):
        try:
            yield f'{package} {version(package)}'
        except PackageNotFoundError:  # used from a folder, not installed
            continue
