"""A trained network, rewritten to compute the same in less time.

What changes, from the algebra to the machine:

* Batch norms that follow a convolution become part of it (the second and the
  third of a bottleneck, the stem's, those of the stacks' features). The first
  of a bottleneck stands before a ReLU and stays.
* What one stack adds to the next one's input, a convolution of its features
  plus a convolution of its heatmaps, which are a convolution of its features,
  becomes one convolution of its features.
* Heatmaps that nobody asks for are not computed, and nothing after the last
  stack that is asked for.
* Convolutions may run in bfloat16 or float16; norms keep float32 statistics.
* Each stack is compiled: element-wise operations are fused with each other
  and with convolutions, weights laid out once as the machine wants them. On
  GPUs each stack is replayed as one CUDA graph.
* On processors a batch goes through the network in pieces of one image per
  thread, which stay in the processor's caches.

Shape shorthand: B batch, K keypoints, C channels, H W input size.
"""
import copy
import logging
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median
from types import FunctionType, MethodType
from typing import Any, Callable, Optional

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..compat.versions import begin_cuda_graphs
from ..models.consistency import check_image, stack_indices
from ..models.residual import Residual
from ..models.stacked_hourglass import Stack, StackedHourglass, Stem

_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def optimize(network: StackedHourglass,
             dtype: torch.dtype = torch.float32,
             example: Optional[Tensor] = None,
             out_stacks: Optional[Sequence[int]] = None
             ) -> 'OptimizedHourglass':
    """Rewrite a trained network for inference.

    The network itself is left as it is. Where it is compiled (processors with
    a C++ compiler, GPUs) the first image of each new size takes from ten
    seconds to a few minutes; without a compiler the rest still counts, and one
    line in the log says so.

    Args:
        network: with its weights, on the device on which it shall run.
        dtype: of the convolutions. float32 agrees with the network to 1e-4;
            ``torch.bfloat16`` and ``torch.float16`` to about 1 % of a
            heatmap's height, and are faster where the device computes in
            them.
        example: (B, in_channels, H, W) image; compiles at once for this size.
        out_stacks: the stacks that are returned, counted from 0 or from the
            end, in ascending order; what comes after the last one is left
            out, so fewer stacks take less time. Default: the network's.

    Returns:
        A module in evaluation mode with the network's forward, from an image
        to a tuple of float32 tensors, one for each of ``out_stacks``.

    Raises:
        ValueError: if it is not a ``StackedHourglass``, its batch norms keep
            no statistics, or an argument does not fit it.

    Example:
        >>> network = StackedHourglass(num_stacks=2, num_keypoints=16).eval()
        >>> fast = optimize(network, out_stacks=(-1, ))
        >>> [heatmaps] = fast(torch.rand(1, 3, 256, 256))
    """
    _checked_network(network)
    if any(isinstance(norm, _BatchNorm) and norm.running_mean is None
           for norm in network.modules()):
        raise ValueError('a network whose batch norms have no running '
                         'statistics cannot be optimized: what it computes '
                         'depends on the whole batch')
    if dtype not in _DTYPES:
        raise ValueError(f'dtype={dtype} is unknown; choose from '
                         f'{", ".join(map(str, _DTYPES))}')
    optimized = OptimizedHourglass(network, dtype, out_stacks)
    if example is not None:
        optimized(example)
    return optimized


def optimize_model(model: BaseModel,
                   dtype: torch.dtype = torch.float32) -> BaseModel:
    """Rewrite a pose estimator or a detector for inference.

    Its ``backbone`` becomes an :class:`OptimizedHourglass`. Where its head
    decodes one stack only (``MultiStageHeatmapHead`` without ``eval_all_stacks``
    and ``output_heatmaps``) the network computes no others.

    Args:
        model: with its weights and ``test_cfg``; it is left as it is.
        dtype: see :func:`optimize`.

    Returns:
        A copy that predicts the same faster.

    Raises:
        ValueError: if the backbone is not a ``StackedHourglass``, or
            ``test_cfg`` asks for a stack that is not there.
    """
    network = _checked_network(getattr(model, 'backbone', None))
    # The copy gets another network: do not copy this one in vain.
    model = copy.deepcopy(model, {id(network): network})
    out_stacks = None
    if hasattr(getattr(model, 'head', None), 'select_stack'):
        settings = dict(model.test_cfg or {})
        if not (settings.get('eval_all_stacks', False)
                or settings.get('output_heatmaps', False)):
            index = settings.get('eval_stack', -1)
            returned = len(network.out_stacks)
            index, = stack_indices((index, ), returned)
            out_stacks = (network.out_stacks[index], )
            model.head.select_stack(index)
            model.test_cfg = {**settings, 'eval_stack': 0}
    model.backbone = optimize(network, dtype, out_stacks=out_stacks)
    return model


class OptimizedHourglass(nn.Module):
    """What :func:`optimize` returns; its arguments are explained there.

    Attributes:
        out_stacks: indices of the stacks that are returned, from 0.
        measures_time: whether to note times for :meth:`seconds_per_image`; on
            GPUs each stack is then waited for.
    """

    def __init__(self, network: StackedHourglass, dtype: torch.dtype,
                 out_stacks: Optional[Sequence[int]]) -> None:
        super().__init__()
        self.out_stacks = network.out_stacks
        if out_stacks is not None:
            self.out_stacks = stack_indices(out_stacks, network.num_stacks)
        self.dtype = dtype
        self.depth = network.depth
        self.measures_time = False
        self._times: list[list[float]] = []
        num_stacks = self.out_stacks[-1] + 1

        network = copy.deepcopy(network).eval().requires_grad_(False)
        for module in network.modules():
            if isinstance(module, Residual):
                module.conv1, module.norm2 = _fold(module.conv1, module.norm2)
                module.conv2, module.norm3 = _fold(module.conv2, module.norm3)
            elif isinstance(module, (Stem, Stack)):
                module.conv, module.norm = _fold(module.conv, module.norm)
        self.stem = network.stem
        self.stacks = nn.ModuleList(
            _InferenceStack(
                stack,
                is_returned=index in self.out_stacks,
                is_last=index == num_stacks - 1)
            for index, stack in enumerate(network.stacks[:num_stacks]))
        for module in self.modules():
            if not isinstance(module, _BatchNorm):
                _cast_own_weights(module, dtype)
        self.eval()
        self._device = next(self.parameters()).device
        _check_device_computes(dtype, self._device)
        self._pieces = _PieceSizes()
        self._compiled: list[Callable] = []
        try:
            self._compiled = [
                _compile(part, self._device.type)
                for part in (self.stem, *self.stacks)
            ]
        except RuntimeError as error:  # this Python is too new for this torch
            self._stop_compiling(error)

    def train(self, mode: bool = True) -> 'OptimizedHourglass':
        """Refuse training.

        Raises:
            ValueError: if ``mode`` is True.
        """
        if mode:
            raise ValueError('an optimized network cannot be trained: train '
                             'the StackedHourglass that it was made from')
        return super().train(mode)

    @torch.no_grad()
    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """As :meth:`StackedHourglass.forward`.

        Args:
            image: (B, in_channels, H, W).

        Returns:
            One float32 tensor for each of ``out_stacks``.
        """
        check_image(image, self.depth)
        pieces = [
            self._run_piece(piece) for piece in image.split(
                self._images_at_once(image))
        ]
        return tuple(
            outputs[0] if len(pieces) == 1 else torch.cat(outputs)
            for outputs in zip(*pieces))

    def seconds_per_image(self) -> list[float]:
        """For each stack that is computed the time from the image to its end.

        Returns:
            Seconds per image, medians over what was measured; compiling and
            filling up do not count. Empty if nothing was.
        """
        return [median(times) for times in zip(*self._times)]

    def _images_at_once(self, image: Tensor) -> int:
        """How many images go through the network together."""
        if self._device.type == 'cpu':
            return torch.get_num_threads()
        return max(len(image), 1)

    def _run_piece(self, image: Tensor) -> list[Tensor]:
        """The network on a few images."""
        count = len(image)
        size = self._pieces.choose(count, tuple(image.shape[2:]))
        if size > count:
            image = torch.cat([image, image[:1].expand(size - count, -1, -1,
                                                       -1)])
        outputs, times = [], []
        if self._device.type == 'cuda':
            # One step: else each part might overwrite what it is given.
            begin_cuda_graphs()
        started = time.perf_counter()
        x = self._run_part(
            0, image.to(self.dtype, memory_format=torch.channels_last))
        for number in range(len(self.stacks)):
            output, x = self._run_part(number + 1, x)
            if output is not None:
                # A CUDA graph's next run overwrites what it returned.
                outputs.append(output[:count].to(
                    torch.float32, copy=output.is_cuda))
            if self.measures_time:
                if self._device.type == 'cuda':
                    torch.cuda.synchronize(self._device)
                times.append((time.perf_counter() - started) / size)
        if self.measures_time:
            self._times.append(times)
        return outputs

    def _run_part(self, number: int, x: Tensor) -> Any:
        """The stem (0) or a stack (from 1), compiled if that is possible.

        Returns:
            What the part returns: the stem a tensor, a stack a pair.
        """
        part = self.stacks[number - 1] if number else self.stem
        if not self._compiled:
            return part(x)
        try:
            return self._compiled[number](x)
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:  # as torch's compiler errors are
            output = part(x)  # raises again what was not the compiler's
            self._stop_compiling(error)
            return output

    def _stop_compiling(self, error: Exception) -> None:
        """From now on run without, and say so."""
        self._compiled = []
        reason = str(error).strip().splitlines()[0]
        print_log(
            f'torch.compile does not work here ({reason}): the network runs '
            'without, which is slower. On processors it needs a C++ compiler',
            'current', logging.WARNING)


class _InferenceStack(nn.Module):
    """A stack that returns its output, if asked, and the next one's input."""

    def __init__(self, stack: Stack, is_returned: bool,
                 is_last: bool) -> None:
        super().__init__()
        self.heatmaps = stack.heatmaps if is_returned else None
        self.is_returned = is_returned
        _collapse_merge(stack)
        stack.heatmaps = stack.merge_heatmaps = None
        stack.inner_heatmaps = nn.ModuleList()
        if is_last:
            stack.merge_features = None
        self.stack = stack

    def forward(self,
                x: Tensor) -> tuple[Optional[Tensor], Optional[Tensor]]:
        """(B, C, H/4, W/4) to heatmaps or features, and the next input."""
        features, = self.stack.features(x)
        output = None
        if self.is_returned:
            output = features
            if self.heatmaps is not None:
                output = self.heatmaps(features)
        if self.stack.merge_features is None:
            return output, None
        return output, self.stack.merge(x, features)


def _checked_network(network: object) -> StackedHourglass:
    """Raise ValueError if it is not the network that is rewritten here."""
    if not isinstance(network, StackedHourglass):
        raise ValueError('only a StackedHourglass can be optimized, but this '
                         f'is a {type(network).__name__}')
    return network


def _fold(convolution: nn.Conv2d,
          norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """A convolution and the norm after it as one, if that can be."""
    if not isinstance(norm, _BatchNorm):  # that of several processes is one
        return convolution, norm
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()


def _collapse_merge(stack: Stack) -> None:
    """Let ``merge_features`` add what ``merge_heatmaps`` would.

    What is added to the input, F f + b_F + M (P f + b_P) + b_M, where P
    predicts heatmaps, is (F + M P) f + (b_F + M b_P + b_M).
    """
    merge = stack.merge_features
    predict, back = stack.heatmaps, stack.merge_heatmaps
    if merge is not None and predict is not None and back is not None:
        weight, bias = merge.parameters()
        p, b_p = predict.parameters()  # (K, C, 1, 1), (K,)
        m, b_m = back.parameters()  # (C, K, 1, 1), (C,)
        weight.add_((m.flatten(1) @ p.flatten(1)).view_as(weight))
        bias.add_(m.flatten(1) @ b_p + b_m)


def _cast_own_weights(module: nn.Module, dtype: torch.dtype) -> None:
    """Cast a module's own weights, not those of modules inside.

    Those of convolutions get their channels innermost, as in the network.
    """
    for parameter in module.parameters(recurse=False):
        layout = (
            torch.channels_last
            if parameter.ndim == 4 else torch.preserve_format)
        parameter.data = parameter.data.to(dtype, memory_format=layout)


def _check_device_computes(dtype: torch.dtype, device: torch.device) -> None:
    """Refuse a type for which this torch has no convolution."""
    image = torch.zeros(1, 1, 3, 3, dtype=dtype, device=device)
    try:
        nn.functional.conv2d(image, image)
    except RuntimeError as error:
        raise ValueError(f'this torch computes no convolution in {dtype} on '
                         f'{device.type} ({error}); choose another dtype'
                         ) from None


def _compile(module: nn.Module, device: str) -> Callable:
    """A stem's or stack's forward, compiled at its first call.

    Args:
        module: stem or stack.
        device: kind of device: ``cpu``, ``cuda``, ...; others than these two
            run as they are.
    """
    if device == 'cpu':
        return _frozen(torch.compile(_with_own_code(module), fullgraph=True))
    if device == 'cuda':
        return torch.compile(
            _with_own_code(module), fullgraph=True, mode='reduce-overhead')
    return module


def _frozen(run: Callable) -> Callable:
    """A compiled function whose weights are constants.

    Only constants are laid out once and fused with what follows. The setting
    is read when the first call compiles; as an option of ``torch.compile``
    it comes too late for a part of the compiler.
    """

    def run_frozen(x: Tensor) -> Any:
        with torch._inductor.config.patch(freezing=True):
            return run(x)

    return run_frozen


def _with_own_code(module: nn.Module) -> Callable:
    """``module.forward`` with a code object of its own.

    What is compiled is kept by code object, and only a few versions of each;
    all stacks share one.
    """
    forward = type(module).forward
    return MethodType(
        FunctionType(forward.__code__.replace(), forward.__globals__,
                     forward.__name__, forward.__defaults__,
                     forward.__closure__), module)


class _PieceSizes:
    """Which numbers of images the network is compiled for.

    The last batch of a data set is smaller than the others. It is filled up to
    their size rather than compiled for; only a number of images that comes
    back again and again is.
    """

    _often = 3

    def __init__(self) -> None:
        self._compiled: set[tuple[int, ...]] = set()
        self._seen: Counter = Counter()

    def choose(self, count: int, image_size: tuple[int, ...]) -> int:
        """How many images to run for ``count`` of (H, W), or more."""
        shape = (count, *image_size)
        self._seen[shape] += 1
        larger = [
            size for size, *other in self._compiled
            if size >= count and tuple(other) == image_size
        ]
        if larger and self._seen[shape] < self._often:
            return min(larger)
        self._compiled.add(shape)
        return count
