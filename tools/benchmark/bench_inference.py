"""Inference: our network plain, tuned and fast, and MMPose's."""
import functools
from collections.abc import Callable, Mapping, Sequence

import torch
from bench_baselines import (
    build_model,
    input_size,
    model_figures,
    network_of,
    other_models,
    our_config,
)
from bench_machine import has_bfloat16, peak_memory
from bench_report import Table, timed_rows
from bench_timing import measure
from mmengine.config import Config
from plain_network import PlainNetwork
from torch import Tensor

from hourglass_plugin.inference.optimize import OptimizedHourglass, optimize
from hourglass_plugin.models.stacked_hourglass import StackedHourglass

#: An image (B, 3, H, W) to one tensor for each stack.
Network = Callable[[Tensor], tuple[Tensor, ...]]


def run(config: Config,
        device: str,
        rounds: int,
        stacks: Sequence[int] = (1, 2, 8),
        batch_size: Sequence[int] = (1, 8),
        dtypes: Sequence[str] | None = None,
        beside: Mapping[str, Config] | None = None
        ) -> tuple[list[Table], list[str]]:
    """Measure inference.

    Args:
        config: of our network.
        device: to run on.
        rounds: turns of each candidate.
        stacks: sizes of our network.
        batch_size: images that go through at once.
        dtypes: of the fast network; default: float32, and bfloat16 if the
            device has it.
        beside: configs of other networks, by name; default: MMPose's own.

    Returns:
        Tables, and notes on what they mean.
    """
    notes = [
        'Memory is that of a call beyond the parameters. Multiply-adds are '
        'those of the network as it is defined. The largest difference to '
        'the plain network is a part of its largest output.'
    ]
    if dtypes is None:
        dtypes = ['float32']
        if has_bfloat16(device):
            dtypes = ['float32', 'bfloat16']
        else:
            notes.append('bfloat16 is left out: this device is not known to '
                         'have it. `--dtypes float32 bfloat16` measures it.')
    others = {
        name: (network_of(model.eval()),
               model_figures(other, input_size(config)))
        for name, other, model in other_models(
            input_size(config), device, beside)
    }
    return [
        _networks(config, device, rounds, count, batch, dtypes, others)
        for batch in batch_size for count in stacks
    ], notes


def _networks(config: Config, device: str, rounds: int, count: int,
              batch_size: int, dtypes: Sequence[str],
              others: dict[str, tuple]) -> Table:
    """All baselines of one size on one batch."""
    config = our_config(config, count)
    figures = model_figures(config, input_size(config))
    network = build_model(config, device).eval().backbone
    image = _image(config, batch_size, device)
    networks: dict[str, Network] = {
        'plain': PlainNetwork(network),
        'tuned': network
    }
    networks.update(_fast(network, dtypes, image))
    details: dict[str, dict] = {
        name: dict(figures, difference=difference)
        for name, difference in _differences(networks, image).items()
    }
    ours = [name for name in networks if name != 'plain']
    details.update({name: dict(other[1]) for name, other in others.items()})
    networks.update({name: other[0] for name, other in others.items()})
    calls = {
        name: functools.partial(_call, network, image)
        for name, network in networks.items()
    }
    for name, call in calls.items():
        details[name]['peak_memory'] = peak_memory(call, device)
    title = f'{count} stack{"s" * (count > 1)}, batch {batch_size}'
    timings = measure(calls, rounds, device, title=title, keeping=ours)
    return Table(f'Inference, {title}',
                 timed_rows(timings, 'plain', batch_size, details))


def _fast(network: StackedHourglass, dtypes: Sequence[str],
          image: Tensor) -> dict[str, OptimizedHourglass]:
    """The optimised network in each dtype."""
    return {
        f'fast, {dtype}': optimize(
            network, dtype=getattr(torch, dtype), example=image)
        for dtype in dtypes
    }


@torch.no_grad()
def _differences(networks: Mapping[str, Network],
                 image: Tensor) -> dict[str, float]:
    """Largest difference to the plain network, over its largest output.

    Raises:
        ValueError: if a network returns other stacks.
    """
    expected = torch.stack(networks['plain'](image))
    differences = {}
    for name, network in networks.items():
        outputs = torch.stack(network(image)).float()
        if outputs.shape != expected.shape:
            raise ValueError(f'the network {name!r} returns other heatmaps '
                             'than the plain one')
        difference = (outputs - expected).abs().max() / expected.abs().max()
        differences[name] = difference.item()
    return differences


@torch.no_grad()
def _call(network: Network, image: Tensor) -> None:
    network(image)


def _image(config: Config, batch_size: int, device: str) -> Tensor:
    """(B, 3, H, W) in [0, 1]."""
    width, height = input_size(config)
    generator = torch.Generator().manual_seed(0)
    return torch.rand(
        batch_size, 3, height, width, generator=generator).to(device)
