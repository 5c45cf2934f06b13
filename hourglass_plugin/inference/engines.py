"""Trained networks on CPUs: OpenVINO in place of PyTorch.

A network is traced and compiled for this machine, without a C++ compiler.
"""
import copy
import functools
import hashlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import __version__
from ..atomic_files import atomic_file
from ..models.network_checks import check_image
from ..models.wrapper import without_wrapper

#: float32 agrees with PyTorch to 1e-5; the others to some percent of a peak.
PRECISIONS = ('float32', 'int8', 'bfloat16')
#: Images from which int8's ranges are measured, at most.
CALIBRATION_SIZE = 32


def accelerate(network: Any,
               precision: str = 'float32',
               example: Tensor | None = None,
               calibration: Sequence[Tensor] | None = None,
               num_threads: int | None = None) -> Any:
    """Compile a trained network for the device on which it is.

    Programs for CPUs are cached in ``~/.cache/hourglass_plugin``, or below
    ``$XDG_CACHE_HOME``. On GPUs they are ``torch.compile``'s, in float32.

    Args:
        network: a module from images (B, C, H, W) to a tuple of tensors.
        precision: one of ``PRECISIONS``. With int8 convolutions multiply 8-bit
            integers, and the rest is bfloat16 where the CPU has it.
        example: (B, C, H, W) images for which the network is then prepared;
            else the first batch of a size takes longer.
        calibration: (C, H, W) images for int8's ranges; 32 of them are used.
        num_threads: of the CPU; by default PyTorch's.

    Returns:
        The same function of images; on CPUs an :class:`AcceleratedNetwork`.

    Raises:
        ValueError: as :func:`check_precision`, if int8 has no images, or if
            the network has norms of the whole batch.
    """
    device = next(network.parameters()).device
    check_precision(precision, str(device))
    if device.type != 'cpu':
        return torch.compile(network)
    if any(isinstance(norm, _BatchNorm) and norm.running_mean is None
           for norm in network.modules()):
        raise ValueError('batch norms without running statistics depend on '
                         'the whole batch and cannot be compiled')
    images = [] if calibration is None or precision != 'int8' else [
        *calibration[:CALIBRATION_SIZE]]
    if precision == 'int8' and not images:
        raise ValueError('int8 needs images: give calibration')
    core = openvino_core()
    options: dict[str, Any] = dict(
        INFERENCE_NUM_THREADS=num_threads or torch.get_num_threads())
    if precision == 'float32':  # else bfloat16 where the CPU has it
        options['INFERENCE_PRECISION_HINT'] = 'f32'
    key = (network, getattr(network, 'out_stacks', None), options, __version__,
           core.get_versions('CPU')['CPU'].build_number,
           core.get_property('CPU', 'FULL_DEVICE_NAME'))
    digest = hashlib.sha256(repr(key).encode())
    for values in (*network.state_dict().values(), *images):
        digest.update(values.detach().contiguous().numpy())
    graph = functools.cache(lambda: _quantized(_traced(network), images))
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'

    def compiled(shape: tuple[int, ...]) -> Any:
        name = f'{digest.hexdigest()[:32]}-{"x".join(map(str, shape))}.blob'
        path = Path(cache, 'hourglass_plugin', name)
        with suppress(OSError, RuntimeError):  # missing, or damaged
            return core.import_model(path.read_bytes(), 'CPU', options)
        fixed = graph().clone()
        fixed.reshape(shape)
        program = core.compile_model(fixed, 'CPU', options)
        with suppress(OSError), atomic_file(path) as partial:
            partial.write_bytes(program.export_model().getvalue())
        return program

    fast = AcceleratedNetwork(network, compiled)
    if example is not None:
        fast(example)
    return fast


def check_precision(precision: str, device: str = 'cpu') -> None:
    """Raise ValueError if a device of this machine lacks a precision."""
    is_cpu = torch.device(device).type == 'cpu'
    if precision not in (PRECISIONS if is_cpu else PRECISIONS[:1]):
        raise ValueError(f'precision={precision!r} must be one of '
                         f'{", ".join(PRECISIONS)}; on GPUs float32')
    if is_cpu and importlib.util.find_spec('openvino') is None:
        raise ValueError('OpenVINO, which makes networks faster on CPUs, is '
                         'missing: pip install openvino')
    if precision == 'bfloat16' and 'BF16' not in openvino_core().get_property(
            'CPU', 'OPTIMIZATION_CAPABILITIES'):
        raise ValueError('this CPU has no bfloat16 instructions: choose '
                         'float32 or int8')


@functools.cache
def openvino_core() -> Any:
    """Return OpenVINO's runtime, one for the process.

    On CPUs with AMX each one gives the thread a stack for signal handlers of
    its own. After two that ended in the order in which they began, handlers
    run on memory that is gone: the next signal, e.g. a child's end, kills.
    """
    import openvino
    return openvino.Core()


class AcceleratedNetwork(nn.Module):
    """The result of :func:`accelerate` on CPUs.

    Programs for images of one shape are up to twice as fast as one for all.
    There are few: batches are run in pieces of 16, 8, 4, 2 and 1 images.
    """

    def __init__(self, network: nn.Module,
                 compiled: Callable[[tuple[int, ...]], Any]) -> None:
        super().__init__()
        self._depth = getattr(network, 'depth', None)
        self._compiled = functools.cache(compiled)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Map (B, C, H, W), at least one image, to float32 outputs."""
        if self._depth is not None:
            check_image(image, self._depth)
        sizes = [16] * (len(image) // 16) + [
            size for size in (8, 4, 2, 1) if len(image) & size]
        outputs = []
        for piece in image.detach().float().contiguous().split(sizes):
            found = self._compiled(tuple(piece.shape))(piece.numpy())
            outputs.append(map(torch.from_numpy, found.values()))
        return tuple(map(torch.cat, zip(*outputs)))


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
    run = openvino_core().compile_model(
        openvino.Model(extremes, probe.get_parameters()), 'CPU',
        dict(INFERENCE_PRECISION_HINT='f32'))
    values = np.array([list(run([image[None].float().numpy()]).values())
                       for image in images])  # (N, 2 * convolutions)
    lows, highs = np.split(values, 2, axis=1)
    for convolution, low, high in zip(
            _convolutions(graph), lows.min(0), highs.max(0)):
        source, weight = convolution.input_values()
        bound = np.abs(weight.get_node().get_data()).max((1, 2, 3))
        bound = np.maximum(bound, 1e-9).reshape(-1, 1, 1, 1)
        for place, value, limits in (
                (0, source, (low, high, low, high, 256)),
                (1, weight, (-bound, bound, -bound, bound, 255))):
            convolution.input(place).replace_source_output(
                ops.fake_quantize(value, *limits).output(0))
    return graph


def _convolutions(graph: Any) -> list[Any]:
    """Return the convolutions with constant weights, in order."""
    return [node for node in graph.get_ordered_ops()
            if node.get_type_name() == 'Convolution' and
            node.input_value(1).get_node().get_type_name() == 'Constant']


@HOOKS.register_module()
class FastInferenceHook(Hook):
    """Test with a backbone from :func:`accelerate`, then give it back.

    Args:
        precision: one of ``PRECISIONS``; int8 measures its ranges on the first
            images of the test set.
    """

    def __init__(self, precision: str = 'float32') -> None:
        check_precision(precision, get_device())
        self.precision = precision

    def before_test(self, runner: Runner) -> None:
        """Give the model a fast backbone."""
        model: Any = without_wrapper(runner.model)
        images: list = []
        loader = runner.test_dataloader if self.precision == 'int8' else ()
        for batch in loader:
            images += model.data_preprocessor(batch)['inputs']
            if len(images) >= CALIBRATION_SIZE:
                break
        self._backbone = model.backbone
        model.backbone = accelerate(model.backbone, self.precision,
                                    calibration=images)

    def after_test(self, runner: Runner) -> None:
        """Give the model its own backbone."""
        without_wrapper(runner.model).backbone = self._backbone
