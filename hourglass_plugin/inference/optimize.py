"""A trained network, rewritten to compute the same in less time.

* Batch norms after a convolution become part of it: all but the first of each
  bottleneck, which stands before a ReLU.
* A stack's contribution to the next one's input, convolutions of its features
  and of its heatmaps, becomes one convolution of its features.
* Unused heatmaps are not computed, nor stacks after the last returned one.
* Convolutions may run in bfloat16 or float16; norms keep float32 statistics.
* Each stack is compiled: operations are fused, weights are laid out once.
* On CPUs a batch is split into pieces of one image per thread, for the caches.

Shape shorthand: B batch, K keypoints, C channels, H W input size.
"""
import copy
import logging
import time
from collections.abc import Callable, Sequence
from statistics import median
from types import FunctionType, MethodType
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..models.consistency import check_image, stack_indices
from ..models.residual import Residual
from ..models.stacked_hourglass import Stack, StackedHourglass, Stem

#: Types of the convolutions.
DTYPES = {name: getattr(torch, name)
          for name in ('float32', 'bfloat16', 'float16')}


def optimize(network: StackedHourglass,
             dtype: torch.dtype = torch.float32,
             example: Tensor | None = None,
             out_stacks: Sequence[int] | None = None) -> 'OptimizedHourglass':
    """Rewrite a trained network for inference.

    Where it is compiled (CPUs with a C++ compiler, GPUs) the first image of
    each new size takes from ten seconds to a few minutes; without a compiler
    the rest still applies, and the log has a warning.

    Args:
        network: with its weights, on its device; it is not changed.
        dtype: of the convolutions. float32 agrees with the network to 1e-5;
            ``torch.bfloat16`` and ``torch.float16`` to about 1 % of a
            heatmap's height, and are faster where the device supports them.
        example: (B, in_channels, H, W) image; compiles at once for this size.
        out_stacks: the returned stacks, counted from 0 or from the end, in
            ascending order. Default: the network's.

    Returns:
        A module in evaluation mode with the network's forward, from an image
        to a tuple of float32 tensors, one for each of ``out_stacks``.

    Raises:
        ValueError: if it is not a ``StackedHourglass``, its batch norms have
            no statistics, or an argument does not fit it.

    Example:
        >>> network = StackedHourglass(num_stacks=2, num_keypoints=16).eval()
        >>> fast = optimize(network, out_stacks=(-1, ))
        >>> [heatmaps] = fast(torch.rand(1, 3, 256, 256))
    """
    _check_network(network)
    if dtype not in DTYPES.values():
        raise ValueError(f'dtype={dtype} must be one of {", ".join(DTYPES)}')
    optimized = OptimizedHourglass(network, dtype, out_stacks)
    if example is not None:
        optimized(example)
    return optimized


def optimize_model(model: BaseModel,
                   dtype: torch.dtype = torch.float32) -> BaseModel:
    """Rewrite a pose estimator or a detector for inference.

    Its ``backbone`` becomes an :class:`OptimizedHourglass`. Where its head
    decodes one stack only (``MultiStageHeatmapHead`` without
    ``eval_all_stacks`` and ``output_heatmaps``) no others are computed.

    Args:
        model: with its weights and ``test_cfg``; it is not changed.
        dtype: see :func:`optimize`.

    Returns:
        A faster copy with the same predictions.

    Raises:
        ValueError: if the backbone is not a ``StackedHourglass``, or
            ``test_cfg`` names a stack that is not there.
    """
    network = _check_network(getattr(model, 'backbone', None))
    # The copy gets another network, so that this one need not be copied.
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
    """The result of :func:`optimize`, which explains the arguments.

    Attributes:
        out_stacks: indices of the returned stacks, from 0.
        measures_time: whether to record times for :meth:`seconds_per_image`;
            on GPUs each stack is then waited for.
    """

    def __init__(self, network: StackedHourglass, dtype: torch.dtype,
                 out_stacks: Sequence[int] | None) -> None:
        super().__init__()
        self.out_stacks = network.out_stacks
        if out_stacks is not None:
            self.out_stacks = stack_indices(out_stacks, network.num_stacks)
        self.dtype = dtype
        self.depth = network.depth
        self.measures_time = False
        self._times: list[list[float]] = []
        self._device = next(network.parameters()).device
        self._compiled: dict[int, Callable] = {}
        self._compiles = self._device.type in ('cpu', 'cuda')
        self._check_dtype()
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
            _InferenceStack(stack, index in self.out_stacks,
                            is_last=index == num_stacks - 1)
            for index, stack in enumerate(network.stacks[:num_stacks]))
        for module in self.modules():
            if not isinstance(module, _BatchNorm):
                for weights in module.parameters(recurse=False):
                    layout = (torch.channels_last if weights.ndim == 4
                              else torch.preserve_format)
                    weights.data = weights.data.to(dtype, memory_format=layout)
        self.eval()

    def train(self, mode: bool = True) -> 'OptimizedHourglass':
        """Raise ValueError if ``mode`` is True: it cannot be trained."""
        if mode:
            raise ValueError('an optimized network cannot be trained: train '
                             'the StackedHourglass that it was made from')
        return super().train(mode)

    @torch.no_grad()
    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs of the returned stacks.

        Args:
            image: (B, in_channels, H, W).

        Returns:
            One float32 tensor for each of ``out_stacks``, as of
            :meth:`StackedHourglass.forward`.
        """
        check_image(image, self.depth)
        pieces = [image]
        if self._device.type == 'cpu':
            pieces = list(image.split(torch.get_num_threads()))
        outputs = [self._run_piece(piece) for piece in pieces]
        return tuple(torch.cat(stack) for stack in zip(*outputs))

    def seconds_per_image(self) -> list[float]:
        """Return for each stack the median time from the image to its end."""
        return [median(times) for times in zip(*self._times)]

    def _run_piece(self, image: Tensor) -> list[Tensor]:
        """Run a few images, filled up to a power of two to compile less."""
        count = len(image)
        if count and self._device.type == 'cpu':
            size = min(1 << (count - 1).bit_length(), torch.get_num_threads())
            padding = image[:1].expand(size - count, -1, -1, -1)
            image = torch.cat([image, padding])
        outputs, times = [], []
        started = time.perf_counter()
        x = self._run_part(
            0, image.to(self.dtype, memory_format=torch.channels_last))
        for number in range(1, len(self.stacks) + 1):
            output, x = self._run_part(number, x)
            if output is not None:
                outputs.append(output[:count].float())
            if self.measures_time:
                if self._device.type == 'cuda':
                    torch.cuda.synchronize(self._device)
                times.append((time.perf_counter() - started) / len(image))
        if self.measures_time:
            self._times.append(times)
        return outputs

    def _run_part(self, number: int, x: Tensor) -> Any:
        """Run the stem (0) or a stack (from 1), compiled if possible."""
        part = self.stacks[number - 1] if number else self.stem
        if not self._compiles:
            return part(x)
        try:
            if number not in self._compiled:
                self._compiled[number] = _compile(part, self._device.type)
            return self._compiled[number](x)
        except RuntimeError as error:  # as torch's compiler errors are
            output = part(x)  # raises again an error of the network
            self._compiles = False
            print_log(
                'torch.compile does not work here '
                f'({str(error).strip().splitlines()[0]}): the network runs '
                'without, which is slower. On CPUs it needs a C++ compiler',
                'current', logging.WARNING)
            return output

    def _check_dtype(self) -> None:
        """Raise ValueError if PyTorch has no convolution of the type here."""
        x = torch.zeros(1, 1, 3, 3, dtype=self.dtype, device=self._device)
        try:
            nn.functional.conv2d(x, x)
        except RuntimeError as error:
            raise ValueError(
                f'this PyTorch build does not support {self.dtype} '
                f'convolutions on {self._device.type} ({error}); choose '
                'another dtype') from None


class _InferenceStack(nn.Module):
    """A stack that returns its output, if asked, and the next one's input."""

    def __init__(self, stack: Stack, is_returned: bool, is_last: bool) -> None:
        super().__init__()
        self.heatmaps = stack.heatmaps if is_returned else None
        self.is_returned = is_returned
        _collapse_merge(stack)
        stack.heatmaps = stack.merge_heatmaps = None
        stack.inner_heatmaps = nn.ModuleList()
        if is_last:
            stack.merge_features = None
        self.stack = stack

    def forward(self, x: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Map (B, C, H/4, W/4) to heatmaps or features, and the next input."""
        features, = self.stack.features(x)
        output = features if self.is_returned else None
        if self.heatmaps is not None:
            output = self.heatmaps(features)
        if self.stack.merge_features is None:
            return output, None
        return output, self.stack.merge(x, features)


def _check_network(network: object) -> StackedHourglass:
    """Return the network, or raise ValueError if it cannot be optimized."""
    if not isinstance(network, StackedHourglass):
        raise ValueError('only a StackedHourglass can be optimized, but this '
                         f'is a {type(network).__name__}')
    if any(isinstance(norm, _BatchNorm) and norm.running_mean is None
           for norm in network.modules()):
        raise ValueError('a network whose batch norms have no running '
                         'statistics cannot be optimized: its outputs depend '
                         'on the whole batch')
    return network


def _fold(convolution: nn.Conv2d,
          norm: nn.Module) -> tuple[nn.Conv2d, nn.Module]:
    """Fold a norm into the convolution before it, if possible."""
    if not isinstance(norm, _BatchNorm):  # SyncBN is one, too
        return convolution, norm
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()


def _collapse_merge(stack: Stack) -> None:
    """Let ``merge_features`` add the share of ``merge_heatmaps``.

    The sum added to the input, F f + b_F + M (P f + b_P) + b_M, where P
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


def _compile(module: nn.Module, device: str) -> Callable:
    """Return a stem's or stack's forward, compiled at its first call."""
    # Compiled code is kept by code object, and only a few versions of each:
    # the stacks, whose code is one, get a copy each.
    forward = type(module).forward
    own = FunctionType(forward.__code__.replace(), forward.__globals__)
    run = torch.compile(MethodType(own, module), fullgraph=True)

    def run_frozen(x: Tensor) -> Any:
        # Only constant weights are laid out once and fused with the next
        # operation. The setting is read when the first call compiles; as an
        # option of ``torch.compile`` it comes too late.
        with torch._inductor.config.patch(freezing=True):
            return run(x)

    return run_frozen if device == 'cpu' else run
