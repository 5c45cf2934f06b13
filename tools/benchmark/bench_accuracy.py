"""Scores of networks on a config's test set, and a picture of them."""
import copy
import functools
import tempfile
from collections.abc import Mapping
from typing import Any

import torch
from bench_report import Table
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor, nn
from tqdm import tqdm

from hourglass_plugin.inference.engines import CALIBRATION_SIZE


class _Backbone(nn.Module):
    """Any function of images as a model's backbone."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(image))


def pck_by_network(config: Config, networks: Mapping[str, Any],
                   people: int) -> dict[str, float]:
    """Score networks with the same weights, without the flip test.

    Args:
        config: of the model and its test set.
        networks: by name; a ``functools.partial`` is called with calibration
            images, the first of the test set, and returns the network.
        people: of the test set, from its beginning.

    Returns:
        Name -> the first score of the config's metrics.
    """
    config = copy.deepcopy(config)
    config.model.backbone.pop('init_cfg', None)
    config.model.test_cfg = dict(flip_test=False)
    config.log_level = 'WARNING'  # the screen gets the tables alone
    with tempfile.TemporaryDirectory() as folder:
        config.work_dir = folder
        runner = Runner.from_cfg(config)
        loop, model = runner.test_loop, runner.model.eval()
        batches, count = [], 0
        for batch in loop.dataloader:
            batches.append(batch)
            count += len(batch['inputs'])
            if count >= people:
                break
        scores = {}
        for name, network in networks.items():
            if isinstance(network, functools.partial):
                network = network(calibration=_images(model, batches))
            model.backbone = _Backbone(network)
            for batch in tqdm(batches, f'scores, {name}'):
                with torch.no_grad():
                    samples = model.test_step(copy.deepcopy(batch))
                loop.evaluator.process(data_samples=samples, data_batch=batch)
            found = loop.evaluator.evaluate(count)
            scores[name] = float(next(iter(found.values())))
    return scores


def _images(model: Any, batches: list[dict]) -> list[Tensor]:
    """Return the network's inputs for the first people."""
    images: list[Tensor] = []
    for batch in batches:
        images += model.data_preprocessor(copy.deepcopy(batch))['inputs']
        if len(images) >= CALIBRATION_SIZE:
            break
    return images


def draw(table: Table, path: str) -> None:
    """Draw scores against milliseconds of an image."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.subplots()
    scored = [row for row in table.rows if row.get('pck') is not None]
    scored.sort(key=lambda row: row['images_per_second'])
    for index, row in enumerate(scored):
        time = 1000 / row['images_per_second']
        is_measured = 'median' in row  # here, by us
        axes.plot(time, row['pck'], 'o' if is_measured else 's',
                  color='#0072b2' if is_measured else '#d55e00')
        # Neighbours' names lie on different sides.
        axes.annotate(row['name'], (time, row['pck']), ha='center',
                      textcoords='offset points',
                      xytext=(0, 6 if index % 2 else -15))
    axes.set(xscale='log', xlabel='ms an image', ylabel='PCK')
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter('{x:g}')
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(color='0.9')
    axes.set_axisbelow(True)
    axes.margins(0.15, 0.2)
    figure.savefig(path, dpi=120)
