"""Keypoints to heatmaps and back: our codec and MMPose's."""
import functools
from collections.abc import Callable

import numpy as np
import torch
from bench_baselines import STOCK_DATA, input_size, resize, stock_config
from bench_report import Table, timed_rows
from bench_timing import measure
from mmengine.config import Config
from mmpose.registry import KEYPOINT_CODECS
from mmpose.utils.tensor_utils import to_numpy
from torch import Tensor

_STOCK_NAME = 'MSRAHeatmap'


def run(config: Config,
        device: str,
        rounds: int,
        batch_size: int = 64) -> tuple[list[Table], list[str]]:
    """Measure a batch's encoding and decoding.

    Args:
        config: of our model; its head's codec is used.
        device: on which the heatmaps to be decoded are, and targets drawn.
        rounds: turns of each candidate.
        batch_size: number of people.

    Returns:
        Tables, and notes on what they mean.
    """
    ours, sender = (
        KEYPOINT_CODECS.build(
            dict(config.model.head.decoder, encode_on_device=on_device))
        for on_device in (False, True))
    stock = KEYPOINT_CODECS.build(
        resize(stock_config(STOCK_DATA),
               input_size(config)).model.head.decoder)
    count = config.model.head.out_channels
    random = np.random.RandomState(0)
    keypoints = random.uniform(0, ours.input_size,
                               (batch_size, 1, count, 2)).astype(np.float32)
    visible = np.ones((1, count), np.float32)
    on_device = torch.from_numpy(keypoints[:, 0]).to(device)
    weights = torch.ones(batch_size, count, device=device)
    our_name = type(ours).__name__

    def draw() -> Tensor:
        return ours.draw(on_device, weights)

    heatmaps = draw()
    noise = torch.from_numpy(
        random.uniform(0, 0.1, tuple(heatmaps.shape)).astype(np.float32))
    heatmaps = heatmaps + noise.to(device)
    tables = [
        _table(
            f'Encoding {batch_size} people', {
                f'{our_name}, heatmaps':
                lambda: [ours.encode(person, visible) for person in keypoints],
                f'{our_name}, keypoints': lambda:
                [sender.encode(person, visible) for person in keypoints],
                'heatmaps of them, drawn on the device': draw,
                _STOCK_NAME:
                lambda: [stock.encode(person, visible) for person in keypoints]
            }, rounds, device, batch_size)
    ]

    def decode_stock() -> list:
        """As MMPose's heads do with a codec of single people."""
        people = to_numpy(heatmaps, unzip=True)
        return [stock.decode(person) for person in people]

    tables.append(
        _table(
            f'Decoding {batch_size} people', {
                our_name: functools.partial(ours.batch_decode, heatmaps),
                _STOCK_NAME: decode_stock
            }, rounds, device, batch_size))
    return tables, [f'{count} keypoints a person.']


def _table(title: str, baselines: dict[str, Callable], rounds: int,
           device: str, people: int) -> Table:
    timings = measure(baselines, rounds, device, title=title)
    rows = timed_rows(timings, _STOCK_NAME, people)
    for row in rows:
        row['microseconds_per_person'] = 1e6 / row.pop('images_per_second')
    return Table(title, rows)
