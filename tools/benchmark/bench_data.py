"""From the image file to a training sample: our pipeline and MMPose's."""
import time
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import mmpose.datasets  # noqa: F401, registers the transforms
import numpy as np
import torch
from bench_baselines import STOCK_DATA, input_size, resize, stock_config
from bench_report import Table, timed_rows
from bench_timing import summarize
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, TRANSFORMS
from tqdm import tqdm

from hourglass_plugin.datasets.samplers import SampleIndex

#: Cores that feed one GPU, in the note.
_CORES = 16

#: Name of a transform -> seconds a sample, round by round.
Rounds = dict[str, list[float]]


def build_dataset(config: Config) -> BaseDataset:
    """Build the training dataset of a config.

    Raises:
        FileNotFoundError: if its files are missing.
        ValueError: if they cannot be used.
    """
    init_default_scope('mmpose')
    return DATASETS.build(config.train_dataloader.dataset)


def run(config: Config,
        dataset: BaseDataset,
        rounds: int,
        people: int = 64) -> tuple[list[Table], list[str]]:
    """Measure both training pipelines on the same people, on one core.

    Args:
        config: of our network, whose size MMPose's pipeline gets.
        dataset: of :func:`build_dataset`; its pipeline is ours.
        rounds: how often each pipeline goes through the people.
        people: number of them, from the dataset's first.

    Returns:
        Tables, and notes on what they mean.
    """
    threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    try:
        people = min(people, len(dataset))
        stock = resize(stock_config(STOCK_DATA), input_size(config))
        pipelines = {
            'ours': list(dataset.pipeline.transforms),
            'MMPose': [
                TRANSFORMS.build(transform)
                for transform in stock.train_dataloader.dataset.pipeline
            ]
        }
        timings = measure_pipelines(pipelines, dataset, people, rounds)
    finally:
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])
    totals = {
        name: np.sum(list(by_transform.values()), axis=0).tolist()
        for name, by_transform in timings.items()
    }
    rows = timed_rows(totals, 'MMPose')
    return [
        Table(f'Training samples, {people} people, one core', rows),
        Table('Milliseconds a sample',
              transform_rows(timings['ours'], timings['MMPose']))
    ], [
        f'{_CORES} cores feed {_CORES * rows[0]["images_per_second"]:.0f} '
        'samples/s.'
    ]


def measure_pipelines(pipelines: Mapping[str, Sequence], dataset: BaseDataset,
                      people: int, rounds: int) -> dict[str, Rounds]:
    """Time every transform; the pipelines take turns person by person.

    Args:
        pipelines: name -> transforms.
        dataset: whose records they get.
        people: number of records, from the first.
        rounds: how often each record is used, after one round of warming up.

    Returns:
        Name of the pipeline -> seconds by transform.
    """
    timings: dict[str, Rounds] = {
        name: {type(transform).__name__: []
               for transform in transforms}
        for name, transforms in pipelines.items()
    }
    for number in tqdm(range(rounds + 1), 'pipelines', unit='round'):
        spent = {name: dict.fromkeys(timings[name], 0.0) for name in pipelines}
        for index in range(people):
            for name, transforms in pipelines.items():
                record = dataset.get_data_info(index)
                record['sample_idx'] = SampleIndex(index, (0, number, index))
                np.random.seed(number * people + index)
                for transform in transforms:
                    start = time.perf_counter()
                    record = transform(record)
                    spent[name][type(transform).__name__] += (
                        time.perf_counter() - start)
        if number > 0:
            for name, by_transform in spent.items():
                for transform, seconds in by_transform.items():
                    timings[name][transform].append(seconds / people)
    return timings


def transform_rows(ours: Rounds, stock: Rounds) -> list[dict]:
    """One row for each transform of either pipeline: medians and rounds."""
    rows = []
    for name in dict.fromkeys([*ours, *stock]):
        row: dict[str, Any] = dict(name=name)
        for key, by_transform in (('ours', ours), ('stock', stock)):
            if name in by_transform:
                row[key] = summarize(by_transform[name]).median
                row[f'{key}_seconds'] = by_transform[name]
        rows.append(row)
    return rows
