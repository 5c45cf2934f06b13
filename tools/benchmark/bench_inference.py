"""Inference: our network plain, by default and accelerated, and MMPose's."""
import functools
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from bench_accuracy import draw, pck_by_network
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
from torch import Tensor, nn

from hourglass_plugin.compat.versions import onnx_exporter_options
from hourglass_plugin.inference import accelerate
from hourglass_plugin.inference.engines import openvino_core
from hourglass_plugin.models.weights.loading import (
    load_weights,
    read_checkpoint,
)

#: An image (B, 3, H, W) to one tensor for each stack.
Network = Callable[[Tensor], Sequence[Tensor]]


class _Tensors(nn.Module):
    """A pose model as a module from a tensor to tensors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Any:
        return network_of(self.model)(image)


def run(config: Config,
        device: str,
        rounds: int,
        stacks: Sequence[int] | None = None,
        batch_size: Sequence[int] = (1, 8),
        precisions: Sequence[str] | None = None,
        beside: Mapping[str, Config] | None = None,
        checkpoint: str | None = None,
        people: int = 10**9,
        scores: str | None = None,
        picture: str | None = None) -> tuple[list[Table], list[str]]:
    """Measure inference.

    Args:
        config: of our network.
        device: to run on.
        rounds: turns of each candidate.
        stacks: sizes of our network; default: 1, 2 and 8, with a checkpoint
            its own.
        batch_size: images that go through at once.
        precisions: of the accelerated networks, on CPUs; default: float32,
            int8 and, if the device has it, bfloat16.
        beside: configs of other networks, by name; default: MMPose's own.
        checkpoint: trained weights; scores of the config's test set then
            stand beside the times. Default: random weights.
        people: of the test set, from its beginning.
        scores: JSON file of scores that were measured elsewhere, by the name
            of the network; ``ms`` of one that is not in the first table.
        picture: file for a drawing of accuracy against time.

    Returns:
        Tables, and notes on what they mean.

    Raises:
        ValueError: if ``picture`` has neither ``checkpoint`` nor ``scores``.
    """
    if picture is not None and checkpoint is None and scores is None:
        raise ValueError('--picture is of scores: give --checkpoint, or '
                         '--scores')
    notes = [
        'Memory is that of a call beyond the parameters. Multiply-adds are '
        'those of the network as it is defined. The largest difference to '
        'the plain network is a part of its largest output. MMPose\'s '
        'networks run in PyTorch and, where a precision is named, in the '
        'engine of ours. int8 is calibrated on the images that are timed.'
    ]
    if device != 'cpu':
        precisions = []
    elif precisions is None:
        precisions = ['float32', 'int8', 'bfloat16']
        if not has_bfloat16(device):
            precisions.remove('bfloat16')
    if stacks is None:
        own = config.model.backbone.num_stacks
        stacks = (1, 2, 8) if checkpoint is None else (own, )
    others = list(other_models(input_size(config), device, beside))
    tables = [
        _networks(config, device, rounds, count, batch, precisions, others,
                  checkpoint)
        for batch in batch_size for count in stacks
    ]
    if checkpoint is not None:
        model = _model(config, device, checkpoint)
        found = pck_by_network(
            config, _ours(model.backbone, precisions, None), people)
        for row in (row for table in tables for row in table.rows):
            row['pck'] = found.get(row['name'])
    if scores is not None:
        with open(scores, encoding='utf-8') as file:
            known = json.load(file)
        for row in (row for table in tables for row in table.rows):
            if row['name'] in known:
                row['pck'] = known[row['name']]['score']
        tables[0].rows.extend(
            dict(name=name, pck=each['score'],
                 images_per_second=1000 / each['ms'])
            for name, each in known.items() if 'ms' in each)
    if picture is not None:
        draw(tables[0], picture)
    return tables, notes


def _model(config: Config, device: str, checkpoint: str | None) -> Any:
    """Our model in evaluation mode, trained or with random weights."""
    model = build_model(config, device)
    if checkpoint is not None:
        load_weights(model, read_checkpoint(checkpoint), checkpoint)
    return model.eval()


def _networks(config: Config, device: str, rounds: int, count: int,
              batch_size: int, precisions: Sequence[str], others: list,
              checkpoint: str | None) -> Table:
    """All baselines of one size on one batch."""
    config = our_config(config, count)
    figures = model_figures(config, input_size(config))
    network = _model(config, device, checkpoint).backbone
    image = _image(config, batch_size, device)
    networks = _ours(network, precisions, image)
    if device == 'cpu':
        networks.update(_by_hand(network, image))
    details: dict[str, dict] = {
        name: dict(figures, difference=difference)
        for name, difference in _differences(networks, image).items()
    }
    ours = [name for name in networks if name != 'plain']
    for name, other, model in others:
        model = _Tensors(model.eval())
        each = {name: model}
        for precision in precisions:
            each[f'{name}, {precision}'] = accelerate(
                model, precision, image, calibration=image)
        networks.update(each)
        details.update(dict.fromkeys(
            each, model_figures(other, input_size(config))))
    calls = {
        name: functools.partial(_call, network, image)
        for name, network in networks.items()
    }
    for name, call in calls.items():
        details[name] = dict(
            details[name], peak_memory=peak_memory(call, device))
    title = f'{count} stack{"s" * (count > 1)}, batch {batch_size}'
    timings = measure(calls, rounds, device, title=title, keeping=ours)
    return Table(f'Inference, {title}',
                 timed_rows(timings, 'plain', batch_size, details))


def _ours(network: Any, precisions: Sequence[str],
          calibration: Tensor | None) -> dict[str, Network]:
    """Our network plain, by default and in each precision.

    Without calibration images int8 is a function of them.
    """
    networks: dict[str, Any] = {
        'plain': PlainNetwork(network),
        'default': network
    }
    for precision in precisions:
        if precision == 'int8' and calibration is None:
            networks[precision] = functools.partial(
                accelerate, network, precision)
        else:
            networks[precision] = accelerate(
                network, precision, calibration, calibration)
    return networks


def _by_hand(network: nn.Module, image: Tensor) -> dict[str, Network]:
    """ONNX Runtime and OpenVINO on the exported network, as in manuals."""
    import onnxruntime
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, 'network.onnx'))
        torch.onnx.export(
            network, (image, ), path, opset_version=17, input_names=['image'],
            dynamic_axes={'image': {0: 'batch'}}, **onnx_exporter_options())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(
            path, options, providers=['CPUExecutionProvider'])
        compiled = openvino_core().compile_model(
            path, 'CPU', {'INFERENCE_NUM_THREADS': threads,
                          'INFERENCE_PRECISION_HINT': 'f32',
                          'PERFORMANCE_HINT': 'LATENCY'})

    def run_onnx(image: Tensor) -> list[Tensor]:
        outputs = session.run(None, {'image': image.numpy()})
        return list(map(torch.from_numpy, outputs))

    def run_openvino(image: Tensor) -> list[Tensor]:
        return list(map(torch.from_numpy, compiled(image.numpy()).values()))

    return {'ONNX Runtime by hand': run_onnx,
            'OpenVINO by hand': run_openvino}


@torch.no_grad()
def _differences(networks: Mapping[str, Network],
                 image: Tensor) -> dict[str, float]:
    """Largest difference to the plain network, over its largest output.

    Raises:
        ValueError: if a network returns other stacks.
    """
    expected = torch.stack(tuple(networks['plain'](image)))
    differences = {}
    for name, network in networks.items():
        outputs = torch.stack(tuple(network(image))).float()
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
