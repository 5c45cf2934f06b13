"""Inference: our network plain, tuned and fast, and MMPose's."""
from collections.abc import Mapping, Sequence
from typing import Callable, Optional

import torch
from baselines import (
    build_model,
    input_size,
    model_figures,
    network_of,
    other_models,
    our_config,
    test_batch,
)
from machine import (
    add_matrix_shares,
    has_bfloat16,
    matrix_products,
    peak_memory,
)
from mmengine.config import Config
from mmengine.model import BaseModel
from plain_network import PlainNetwork
from report import Table, timed_rows
from timing import measure, summarize
from torch import Tensor

from hourglass_plugin.inference.optimize import (
    OptimizedHourglass,
    optimize,
    optimize_model,
)
from hourglass_plugin.models.stacked_hourglass import StackedHourglass

#: An image (B, 3, H, W) to one tensor for each stack.
Network = Callable[[Tensor], tuple[Tensor, ...]]

#: What is measured, in this order.
PARTS = ('networks', 'flip', 'stacks')


def run(config: Config,
        device: str,
        rounds: int,
        stacks: Sequence[int] = (1, 2, 8),
        batch_sizes: Sequence[int] = (1, 8),
        dtypes: Optional[Sequence[str]] = None,
        parts: Sequence[str] = PARTS,
        beside: Optional[Mapping[str, Config]] = None
        ) -> tuple[list[Table], list[str]]:
    """Normalizer inference.

    Args:
        config: of our network.
        device: to run on.
        rounds: turns of each contender.
        stacks: sizes of our network.
        batch_sizes: images that go through at once.
        dtypes: of the fast network; default: float32, and bfloat16 if the
            device has it.
        parts: ``networks``: all baselines without decoding; ``flip``: what
            the flip test costs, with decoding; ``stacks``: stopping after
            each stack. The last two with the largest network only.
        beside: configs of other networks, by name; default: MMPose's own.

    Returns:
        Tables, and notes on what they mean.
    """
    notes = [
        'Memory is what a call holds beyond the weights. Multiply-adds are '
        'those of the network as it is defined, whatever is left out for '
        'speed, and so is the share of the matrix rate. The largest '
        'difference to the plain network is a part of its largest output.'
    ]
    if dtypes is None:
        dtypes = ['float32']
        if has_bfloat16(device):
            dtypes = ['float32', 'bfloat16']
        else:
            notes.append('bfloat16 is left out: this device is not known to '
                         'have it. `--dtypes float32 bfloat16` measures it.')
    tables = []
    if 'networks' in parts:
        others = _other_networks(config, device, beside)
        tables += [
            _networks(config, device, rounds, count, batch_size, dtypes,
                      others) for batch_size in batch_sizes
            for count in stacks
        ]
        del others
    if 'flip' in parts:
        tables += [
            _flip(config, device, rounds, max(stacks), batch_size, dtypes)
            for batch_size in batch_sizes
        ]
    if 'stacks' in parts:
        tables.append(
            _stacks(config, device, rounds, max(stacks), max(batch_sizes),
                    dtypes))
    return tables, notes


def _other_networks(config: Config, device: str,
                    configs: Optional[Mapping[str, Config]]
                    ) -> dict[str, tuple]:
    """Name -> another network and its figures."""
    size = input_size(config)
    return {
        name: (network_of(model.eval()), model_figures(other, size))
        for name, other, model in other_models(size, device, configs)
    }


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
    calls = _calls(networks, image)
    for name, call in calls.items():
        details[name]['peak_memory'] = peak_memory(call, device)
    title = f'{_stack_text(count)}, {_batch_text(batch_size)}'
    products = matrix_products(device, dtypes)
    timings = measure({
        **calls,
        **products.calls
    },
                      rounds,
                      device,
                      title=title,
                      keeping=ours)
    rows = timed_rows(timings, 'plain', batch_size, details)
    add_matrix_shares(rows, products, _dtype_of)
    return Table(f'Inference, {title}', rows)


def _flip(config: Config, device: str, rounds: int, count: int,
          batch_size: int, dtypes: Sequence[str]) -> Table:
    """The whole pose model with and without the mirror image."""
    config = our_config(config, count)
    # One answer for each image, as when predicting.
    config.model.test_cfg = dict(config.model.test_cfg, eval_all_stacks=False)
    model = build_model(config, device).eval()
    batch = test_batch(config, batch_size)
    models = {'tuned': model}
    models.update({
        f'fast, {dtype}': optimize_model(model, getattr(torch, dtype))
        for dtype in dtypes
    })

    def predict(model: BaseModel, flip: bool) -> Callable[[], None]:

        def call() -> None:
            model.test_cfg['flip_test'] = flip
            model.test_step(batch)

        return call

    calls = {}
    for name, model in models.items():
        calls[f'{name}, one pass'] = predict(model, False)
        calls[f'{name}, image and mirror image'] = predict(model, True)
    title = f'flip test, {_stack_text(count)}, {_batch_text(batch_size)}'
    timings = measure(calls, rounds, device, title=title, keeping=calls)
    details = {}
    for name in models:
        once, twice = (f'{name}, one pass', f'{name}, image and mirror image')
        details[twice] = dict(
            time_ratio=summarize(timings[twice]).median /
            summarize(timings[once]).median)
    rows = timed_rows(timings, 'tuned, one pass', batch_size, details)
    return Table(f'Inference with decoding, {title}', rows)


def _stacks(config: Config, device: str, rounds: int, count: int,
            batch_size: int, dtypes: Sequence[str]) -> Table:
    """The fast network when only one stack's heatmaps are asked for."""
    config = our_config(config, count)
    network = build_model(config, device).eval().backbone
    image = _image(config, batch_size, device)
    plain = PlainNetwork(network)
    networks: dict[str, Network] = {'plain': plain}
    details: dict[str, dict] = {
        'plain': model_figures(config, input_size(config))
    }
    for stack in range(count):
        figures = model_figures(
            our_config(config, stack + 1), input_size(config))
        fast = _fast(network, dtypes, image, (stack, ))
        for name, difference in _differences({
                'plain': _only(plain, stack),
                **fast
        }, image).items():
            if name in fast:
                full_name = f'{name}, stops after stack {stack + 1}'
                networks[full_name] = fast[name]
                details[full_name] = dict(figures, difference=difference)
    title = f'{_stack_text(count)}, {_batch_text(batch_size)}, stopping early'
    timings = measure(
        _calls(networks, image),
        rounds,
        device,
        title=title,
        keeping=[name for name in networks if name != 'plain'])
    return Table(f'Inference, {title}',
                 timed_rows(timings, 'plain', batch_size, details))


def _fast(
    network: StackedHourglass,
    dtypes: Sequence[str],
    image: Optional[Tensor] = None,
    out_stacks: Optional[tuple[int, ...]] = None
) -> dict[str, OptimizedHourglass]:
    """The optimised network in each dtype."""
    return {
        f'fast, {dtype}': optimize(
            network,
            dtype=getattr(torch, dtype),
            example=image,
            out_stacks=out_stacks)
        for dtype in dtypes
    }


def _only(network: Network, stack: int) -> Network:
    return lambda image: (network(image)[stack], )


def _differences(networks: Mapping[str, Network],
                 image: Tensor) -> dict[str, float]:
    """Largest difference to the plain network's outputs.

    As a part of the largest of them.

    Raises:
        ValueError: if a network returns other stacks, or not a number.
    """
    with torch.no_grad():
        expected = networks['plain'](image)
        largest = max(output.abs().max().item() for output in expected)
        differences = {}
        for name, network in networks.items():
            outputs = network(image)
            if [x.shape for x in outputs] != [x.shape for x in expected]:
                raise ValueError(f'the network {name!r} does not return what '
                                 'the plain one returns')
            differences[name] = max(
                (output.float() - wanted).abs().max().item()
                for output, wanted in zip(outputs, expected)) / largest
            if differences[name] != differences[name]:
                raise ValueError(f'the network {name!r} returns numbers that '
                                 'are none')
    return differences


def _calls(networks: Mapping[str, Network],
           image: Tensor) -> dict[str, Callable[[], None]]:

    def call_of(network: Network) -> Callable[[], None]:

        def call() -> None:
            with torch.no_grad():
                network(image)

        return call

    return {name: call_of(network) for name, network in networks.items()}


def _image(config: Config, batch_size: int, device: str) -> Tensor:
    """(B, 3, H, W) in [0, 1]."""
    width, height = input_size(config)
    generator = torch.Generator().manual_seed(0)
    return torch.rand(
        batch_size, 3, height, width, generator=generator).to(device)


def _dtype_of(name: str) -> str:
    """The dtype in which a contender multiplies."""
    return name.rpartition(', ')[2] if name.startswith('fast') else 'float32'


def _stack_text(count: int) -> str:
    return f'{count} stack' + 's' * (count > 1)


def _batch_text(batch_size: int) -> str:
    return f'batch {batch_size}'
