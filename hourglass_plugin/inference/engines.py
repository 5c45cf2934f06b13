"""Trained networks on CPUs: OpenVINO in place of PyTorch.

A network is traced once and compiled for this machine's CPU, without a C++
compiler. Folding, fusing and memory layouts are OpenVINO's. Only what the
returned stacks need is computed.

Shape shorthand: B batch, C channels, H W input size.
"""
import copy
import functools
import hashlib
import importlib.util
import io
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import __version__
from ..atomic_files import atomic_file
from ..models.consistency import check_image, stack_indices

#: float32 agrees with PyTorch to 1e-5; the others to a few percent of a
#: heatmap's height.
PRECISIONS = ('float32', 'int8', 'bfloat16')
#: Images from which int8's ranges are measured, at most.
CALIBRATION_SIZE = 32


def accelerate(network: Any,
               precision: str = 'float32',
               example: Tensor | None = None,
               calibration: Sequence[Tensor] | None = None,
               num_threads: int | None = None,
               out_stacks: Sequence[int] | None = None,
               cache_dir: str | Path | None = None) -> 'AcceleratedNetwork':
    """Compile a trained network for this machine's CPU.

    Args:
        network: with its weights, on the CPU; it is not changed. Any module
            from a tensor (B, C, H, W) to a tuple of tensors.
        precision: one of ``PRECISIONS``. With int8 convolutions multiply 8-bit
            integers, and the rest is bfloat16 where the CPU has it.
        example: (B, C, H, W) images for which the network is then prepared;
            else the first batch of a size takes longer.
        calibration: (C, H, W) images for int8's ranges, of which the first
            ``CALIBRATION_SIZE`` are used.
        num_threads: of the CPU; by default PyTorch's.
        out_stacks: the returned stacks of a ``StackedHourglass``, counted from
            0 or from the end, in ascending order. Default: the network's.
        cache_dir: folder where the compiled network is saved, and loaded from
            if weights, arguments and CPU are the same.

    Raises:
        ValueError: as :func:`check_precision`; if the network is on a GPU or
            has batch norms without statistics, int8 has no ``calibration``,
            or ``out_stacks`` does not fit.
    """
    check_precision(precision)
    network = copy.copy(network)  # the same weights, other out_stacks
    if out_stacks is not None:
        network.out_stacks = stack_indices(out_stacks, network.num_stacks)
    if next(network.parameters()).device.type != 'cpu':
        raise ValueError('OpenVINO is for CPUs: move the network there, or '
                         'use torch.compile')
    if any(isinstance(norm, _BatchNorm) and norm.running_mean is None
           for norm in network.modules()):
        raise ValueError('batch norms without running statistics cannot be '
                         'compiled: their outputs depend on the whole batch')
    images = [] if calibration is None or precision != 'int8' else list(
        calibration[:CALIBRATION_SIZE])
    if precision == 'int8' and not images:
        raise ValueError('int8 needs images: give calibration')
    import openvino
    core = openvino.Core()
    options = _options(precision, num_threads)
    state = [network, vars(network).get('out_stacks'), precision, options,
             __version__, torch.__version__, openvino.__version__,
             *(core.get_property('CPU', name) for name in (
                 'FULL_DEVICE_NAME', 'OPTIMIZATION_CAPABILITIES'))]
    digest = hashlib.sha256(repr(state).encode())
    for values in (*network.state_dict().values(), *images):
        digest.update(values.detach().contiguous().numpy())

    @functools.cache
    def graph() -> Any:
        return _quantized(_traced(network), images)

    def compiled(shape: tuple[int, ...]) -> Any:
        name = f'{digest.hexdigest()[:32]}-{"x".join(map(str, shape))}.blob'
        path = None if cache_dir is None else Path(cache_dir, name)
        # Without a file, or with a damaged one, the network is compiled.
        with suppress(OSError, RuntimeError):
            if path is not None:
                blob = io.BytesIO(path.read_bytes())
                return core.import_model(blob, 'CPU', options)
        fixed = graph().clone()
        fixed.reshape(shape)
        program = core.compile_model(fixed, 'CPU', options)
        if path is not None:
            with suppress(OSError), atomic_file(path) as partial:
                partial.write_bytes(program.export_model().getvalue())
        return program

    fast = AcceleratedNetwork(network, compiled)
    if example is not None:
        fast(example)
    return fast


def accelerate_model(model: BaseModel,
                     precision: str = 'float32',
                     calibration: Sequence[Tensor] | None = None) -> BaseModel:
    """Copy a pose estimator or a detector with an accelerated backbone.

    Where the head decodes one stack only (``MultiStageHeatmapHead`` without
    ``eval_all_stacks`` and ``output_heatmaps``) no others are computed. The
    compiled network is cached in ``~/.cache/hourglass_plugin``, or below
    ``$XDG_CACHE_HOME``. On GPUs it is compiled by ``torch.compile``, in
    float32. Arguments and errors are those of :func:`accelerate`; a stack in
    ``test_cfg`` that is not there is a ValueError, too.
    """
    network, out_stacks = model.backbone, None
    device = next(network.parameters()).device
    check_precision(precision, str(device))
    # The copy gets another network, so that this one need not be copied.
    model = copy.deepcopy(model, {id(network): network})
    if device.type != 'cpu':
        model.backbone = torch.compile(network)
        return model
    if hasattr(getattr(model, 'head', None), 'select_stack'):
        settings = dict(model.test_cfg or {})
        if not (settings.get('eval_all_stacks', False)
                or settings.get('output_heatmaps', False)):
            index, = stack_indices((settings.get('eval_stack', -1), ),
                                   len(network.out_stacks))
            out_stacks = (network.out_stacks[index], )
            model.head.select_stack(index)
            model.test_cfg = {**settings, 'eval_stack': 0}
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    model.backbone = accelerate(
        network, precision, calibration=calibration, out_stacks=out_stacks,
        cache_dir=Path(cache, 'hourglass_plugin'))
    return model


def check_precision(precision: str, device: str = 'cpu') -> None:
    """Raise ValueError if a device of this machine lacks a precision."""
    if precision not in PRECISIONS:
        raise ValueError(f'precision={precision!r} must be one of '
                         f'{", ".join(PRECISIONS)}')
    is_cpu = torch.device(device).type == 'cpu'
    if not is_cpu and precision != 'float32':
        raise ValueError(f'{precision} is for CPUs: choose float32 on '
                         f'{device}, or the CPU')
    if is_cpu and importlib.util.find_spec('openvino') is None:
        raise ValueError('OpenVINO, which makes networks faster on CPUs, is '
                         'missing: pip install openvino')
    if precision == 'bfloat16' and not _has_bfloat16():
        raise ValueError('this CPU has no bfloat16 instructions: choose '
                         'float32 or int8')


class AcceleratedNetwork(nn.Module):
    """The result of :func:`accelerate`, with the network's ``out_stacks``.

    Programs for images of one shape are up to twice as fast as one for all.
    There are few: batches are run in pieces of 16, 8, 4, 2 and 1 images.
    """

    def __init__(self, network: nn.Module,
                 compiled: Callable[[tuple[int, ...]], Any]) -> None:
        super().__init__()
        self.out_stacks = getattr(network, 'out_stacks', None)
        self._depth = getattr(network, 'depth', None)
        self._compiled = functools.cache(compiled)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Map (B, C, H, W) to the network's outputs, float32."""
        if self._depth is not None:
            check_image(image, self._depth)
        count = len(image)
        if count == 0:
            return tuple(output[:0] for output in self(
                image.new_zeros(1, *image.shape[1:])))
        sizes = [16] * (count // 16) + [
            size for size in (8, 4, 2, 1) if count & size]
        pieces = []
        for piece in image.detach().float().contiguous().split(sizes):
            program = self._compiled(tuple(piece.shape))
            pieces.append(list(map(
                torch.from_numpy, program(piece.numpy()).values())))
        return tuple(map(torch.cat, zip(*pieces)))


def _has_bfloat16() -> bool:
    """Return True if the CPU has instructions for bfloat16."""
    import openvino
    return 'BF16' in openvino.Core().get_property(
        'CPU', 'OPTIMIZATION_CAPABILITIES')


def _options(precision: str, num_threads: int | None) -> dict[str, Any]:
    """Return OpenVINO's options for one batch at a time."""
    is_short = precision != 'float32' and _has_bfloat16()
    return dict(INFERENCE_NUM_THREADS=num_threads or torch.get_num_threads(),
                INFERENCE_PRECISION_HINT='bf16' if is_short else 'f32',
                PERFORMANCE_HINT='LATENCY')


def _traced(network: nn.Module) -> Any:
    """Return OpenVINO's graph of a network, for images of any size."""
    # Not by openvino.convert_model, which reports its use to Intel.
    from openvino import PartialShape
    from openvino._offline_transformations import apply_moc_transformations
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    network = copy.deepcopy(network).eval().requires_grad_(False)
    channels = next(network.parameters()).shape[1]
    side = 8 * 2**getattr(network, 'depth', 4)
    with warnings.catch_warnings():  # of sizes, which the forward checks
        warnings.simplefilter('ignore')
        trace = torch.jit.trace(
            network, torch.zeros(1, channels, side, side), check_trace=False)
    frontend = FrontEndManager().load_by_framework('pytorch')
    decoder = TorchScriptPythonDecoder(trace)  # must live until the end
    graph = frontend.convert(frontend.load(decoder))
    graph.reshape(PartialShape([-1, channels, -1, -1]))
    apply_moc_transformations(graph, cf=False)  # folds norms
    return graph


def _quantized(graph: Any, images: Sequence[Tensor]) -> Any:
    """Let convolutions multiply 8-bit integers, in place, if there are images.

    Each input gets the range of its values in the images; the weights of each
    output channel their own.
    """
    if not images:
        return graph
    import openvino
    from openvino import opset13 as ops
    probe = graph.clone()
    extremes = [ops.result(reduce(convolution.input_value(0), (0, 1, 2, 3)))
                for reduce in (ops.reduce_min, ops.reduce_max)
                for convolution in _convolutions(probe)]
    run = openvino.Core().compile_model(
        openvino.Model(extremes, probe.get_parameters()), 'CPU',
        _options('float32', None))
    values = np.array([list(run([image[None].float().numpy()]).values())
                       for image in images])  # (N, 2 * convolutions)
    lows, highs = np.split(values, 2, axis=1)
    inputs: dict[Any, Any] = {}
    for convolution, low, high in zip(
            _convolutions(graph), lows.min(0), highs.max(0)):
        source, weight = convolution.input_values()
        place = source.get_node().get_friendly_name(), source.get_index()
        if place not in inputs:
            inputs[place] = ops.fake_quantize(source, low, high, low, high,
                                              256).output(0)
        bound = np.abs(weight.get_node().get_data()).max((1, 2, 3))
        bound = np.maximum(bound, 1e-9).reshape(-1, 1, 1, 1)
        convolution.input(0).replace_source_output(inputs[place])
        convolution.input(1).replace_source_output(ops.fake_quantize(
            weight, -bound, bound, -bound, bound, 255).output(0))
    return graph


def _convolutions(graph: Any) -> list[Any]:
    """Return the convolutions with constant weights, in order."""
    return [node for node in graph.get_ordered_ops()
            if node.get_type_name() == 'Convolution' and
            node.input_value(1).get_node().get_type_name() == 'Constant']
