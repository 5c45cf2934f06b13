"""The stacked hourglass network.

Shape shorthand: B batch, S stacks, K keypoints, C channels, H W input size.

Source: Newell, Yang and Deng, "Stacked Hourglass Networks for Human Pose
Estimation", ECCV 2016 (arXiv:1603.06937v2), sections 3.1 to 3.3 and figure 4.
"""
import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..compat.versions import is_compiling
from .hourglass import Hourglass
from .network_checks import check_image, check_network_arguments, stack_indices
from .norm import build_norm
from .residual import Residual, residuals
from .weights.loading import load_pretrained, read_checkpoint

#: Stacks, and residual modules at each place, of the paper's networks.
#: hg1x8, hg2x4 and hg4x2 are the ablation's with about as many parameters as
#: hg8, 25.4 million with 16 keypoints (section 4.3).
SIZES = dict(
    hg1=(1, 1), hg2=(2, 1), hg4=(4, 1), hg8=(8, 1),
    hg1x8=(1, 8), hg2x4=(2, 4), hg4x2=(4, 2))


class Stem(nn.Module):
    """From the image to a quarter of its resolution.

    7x7 convolution of stride 2, norm, ReLU, residual, 2x2 max pool, residual,
    residual. ``channels`` names the four widths; the paper's are 64, 128, 128
    and the width of the hourglasses.
    """

    def __init__(self, in_channels: int, channels: Sequence[int],
                 norm_cfg: dict | None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels[0], 7, stride=2, padding=3)
        self.norm = build_norm(norm_cfg, channels[0])
        self.residual1 = Residual(channels[0], channels[1], norm_cfg)
        self.residual2 = Residual(channels[1], channels[2], norm_cfg)
        self.residual3 = Residual(channels[2], channels[3], norm_cfg)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, channels[3], H/4, W/4)."""
        x = F.relu(
            self.norm(self.conv(image)), inplace=True)  # (B, 64, H/2, W/2)
        # Core ML's converter needs the stride written out.
        x = F.max_pool2d(self.residual1(x), 2, stride=2)  # (B, 128, H/4, W/4)
        return self.residual3(self.residual2(x))  # (B, C, H/4, W/4)


class Stack(nn.Module):
    """One of the S stages: an hourglass, its features, its prediction.

    The last stack merges nothing.
    """

    def __init__(self, channels: Sequence[int], num_blocks: Sequence[int],
                 num_keypoints: int | None, inner_heatmaps: int,
                 is_last: bool, norm_cfg: dict | None) -> None:
        super().__init__()
        width = channels[0]
        self.hourglass = Hourglass(channels, num_blocks, norm_cfg)
        self.residuals = residuals([width] * (num_blocks[0] + 1), norm_cfg)
        self.conv = nn.Conv2d(width, width, 1)
        self.norm = build_norm(norm_cfg, width)
        self.heatmaps: nn.Conv2d | None = None
        self.merge_features: nn.Conv2d | None = None
        self.merge_heatmaps: nn.Conv2d | None = None
        self.inner_heatmaps = nn.ModuleList()
        if num_keypoints is not None:
            self.heatmaps = _heatmap_convolution(width, num_keypoints)
            self.inner_heatmaps.extend(
                _heatmap_convolution(channels[halvings], num_keypoints)
                for halvings in range(inner_heatmaps, 0, -1))
        if not is_last:
            self.merge_features = nn.Conv2d(width, width, 1)
            if num_keypoints is not None:
                self.merge_heatmaps = nn.Conv2d(num_keypoints, width, 1)

    def features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, C, H/4, W/4) to features of the same shape.

        Before them come those of lower resolution that ``inner_heatmaps``
        need, lowest first.
        """
        *inner, x = self.hourglass.pyramid(x, len(self.inner_heatmaps))
        x = self.conv(self.residuals(x))  # (B, C, H/4, W/4)
        return (*inner, F.relu(self.norm(x), inplace=True))

    def merge(self, x: Tensor, features: Tensor,
              heatmaps: Tensor | None = None) -> Tensor:
        """(B, C, H/4, W/4): the next stack's input, given this one's."""
        merged = cast(nn.Conv2d, self.merge_features)(features)
        if self.merge_heatmaps is not None:
            merged = merged + self.merge_heatmaps(heatmaps)
        return x + merged


def _heatmap_convolution(channels: int, num_keypoints: int) -> nn.Conv2d:
    """A 1x1 convolution that starts near zero, as targets mostly are."""
    # The noise of a usual initialisation would take epochs to unlearn.
    convolution = nn.Conv2d(channels, num_keypoints, 1)
    nn.init.normal_(convolution.weight, std=0.001)
    nn.init.zeros_(cast(Tensor, convolution.bias))
    return convolution


@MODELS.register_module()
class StackedHourglass(nn.Module):
    """The stacked hourglass network, as a backbone.

    Returns a tuple with one tensor per stack, first to last. With
    ``num_keypoints`` the network predicts heatmaps, feeds them back into the
    next stack as in the paper and returns them, (B, K, H/4, W/4) each.
    Without, it merges features only and returns features, (B, C, H/4, W/4)
    each, for any head or detector.

    The defaults are the paper's final network: 8 stacks, one residual module
    at each place, no weight sharing. Convolutions start as PyTorch's, uniform
    within 1 / sqrt(fan in), Torch7's rule too; those of heatmaps near zero.

    Args:
        num_stacks: number of hourglasses (S).
        num_blocks: residual modules at each place of an hourglass, or
            ``depth + 1`` numbers for each resolution in it, from the full one
            down.
        feat_channels: channels of the hourglasses (C), or ``depth + 1`` widths
            in the same way, the first of which is C.
        depth: number of times an hourglass halves the resolution.
        num_keypoints: number of heatmaps per stack (K), or ``None`` for
            features.
        inner_heatmaps: at how many lower resolutions inside each hourglass
            heatmaps are predicted as well in training mode. They stand before
            their stack's in the returned tuple, from the lowest resolution. 2
            with one stack is HG-Int of the paper's ablation (section 4.3).
        in_channels: channels of the image.
        stem_channels: widths after the stem's convolution and its first and
            second residual module; W. Yang's port has ``(64, 128, 256)``.
            Default: the paper's ``(64, 128, 128)``, scaled with
            ``feat_channels``.
        out_stacks: stacks to return, counted from 0 or from the end, in
            ascending order, the last one among them; ``None`` returns all.
        norm_cfg: normalisation layers everywhere: ``dict(type='BN')``,
            ``SyncBN``, ``GN`` with ``num_groups``, ...; see
            :func:`hourglass_plugin.models.norm.build_norm`.
        with_cp: recompute the activations of all stacks but the last in the
            backward pass: less memory for more time, same result. Do not
            compile such a network as a whole with torch 2.8 or older
            (``CompileHook`` does not): it counts each batch twice.
        init_cfg: mmengine's initialisation config. With
            ``dict(type='Pretrained', checkpoint=FILE)`` the file may be a
            published port's, too, and be for other keypoints; see
            :func:`hourglass_plugin.models.weights.loading.load_pretrained`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import torch
        >>> network = StackedHourglass(num_stacks=2, num_keypoints=16)
        >>> [tuple(h.shape) for h in network(torch.rand(1, 3, 256, 256))]
        [(1, 16, 64, 64), (1, 16, 64, 64)]
    """

    def __init__(self,
                 num_stacks: int = 8,
                 num_blocks: int | Sequence[int] = 1,
                 feat_channels: int | Sequence[int] = 256,
                 depth: int = 4,
                 num_keypoints: int | None = None,
                 inner_heatmaps: int = 0,
                 in_channels: int = 3,
                 stem_channels: Sequence[int] | None = None,
                 out_stacks: Sequence[int] | None = None,
                 norm_cfg: dict | None = None,
                 with_cp: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__()
        self.init_cfg = copy.deepcopy(init_cfg)
        self.is_init = False
        blocks, widths = check_network_arguments(
            num_stacks, num_blocks, feat_channels, depth, num_keypoints,
            inner_heatmaps, in_channels, stem_channels)
        if stem_channels is None:
            stem_channels = (widths[0] // 4, widths[0] // 2, widths[0] // 2)
        self.num_stacks = num_stacks
        self.num_keypoints = num_keypoints
        self.out_channels = num_keypoints or widths[0]
        self.depth = depth
        self.with_cp = with_cp
        self.out_stacks = stack_indices(out_stacks, num_stacks)
        self.stem = Stem(in_channels, (*stem_channels, widths[0]), norm_cfg)
        stacks = nn.ModuleList(
            Stack(widths, blocks, num_keypoints, inner_heatmaps,
                  index == num_stacks - 1, norm_cfg)
            for index in range(num_stacks))
        # A ModuleList does not tell type checkers what is in it.
        self.stacks = cast('Sequence[Stack]', stacks)
        # Channels innermost in memory: the layout in which convolutions of
        # this kind are fastest, on CPUs and GPUs. Values stay equal.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_size(cls, name: str, **arguments: Any) -> 'StackedHourglass':
        """Build a network of the paper, with other arguments of the class.

        Raises:
            ValueError: if the name is not in ``SIZES``.
        """
        if name not in SIZES:
            raise ValueError(f'unknown size {name!r}; use {", ".join(SIZES)}')
        num_stacks, num_blocks = SIZES[name]
        return cls(**{'num_stacks': num_stacks, 'num_blocks': num_blocks,
                      **arguments})

    def init_weights(self) -> None:
        """Initialise the weights according to ``init_cfg``; mmengine calls it.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if it is of another network, or no checkpoint.
        """
        # Importing it takes half as long as importing torch.
        from mmengine.model import PretrainedInit, initialize
        if self.is_init:
            return
        given = self.init_cfg
        parts = [part for part in (
            given if isinstance(given, list) else [given]) if part]
        # mmengine would leave weights under a port's names at random.
        pretrained = [part for part in parts
                      if part['type'] in ('Pretrained', PretrainedInit)]
        initialize(self, [part for part in parts if part not in pretrained])
        self.is_init = True
        for part in pretrained:
            path = part['checkpoint']
            try:
                remarks = load_pretrained(self, read_checkpoint(path),
                                          part.get('prefix'))
            except ValueError as error:
                raise ValueError(f'{path}: {error}') from error
            print_log(f'{path}: {"; ".join(remarks)}', 'current')

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Compute the heatmaps or the features of the requested stacks.

        Args:
            image: (B, in_channels, H, W) float; the paper's values are RGB in
                [0, 1]. H and W are multiples of 4 * 2^depth (64 by default),
                or one less, as CornerNet's 511.

        Returns:
            One tensor for each of ``out_stacks``: (B, K, H/4, W/4) heatmaps
            with ``num_keypoints``, else (B, C, H/4, W/4) features, sides
            rounded up; in training mode after those of ``inner_heatmaps``.

        Raises:
            ValueError: if the size does not fit the depth.
        """
        check_image(image, self.depth)
        x = self.stem(image.contiguous(memory_format=torch.channels_last))
        outputs = []
        for index, stack in enumerate(self.stacks):
            is_last = stack.merge_features is None
            if self.with_cp and not is_last and torch.is_grad_enabled():
                *inner, features = _recomputed_features(stack, x)
            else:
                *inner, features = stack.features(x)
            heatmaps = stack.heatmaps(features) if stack.heatmaps else None
            if index in self.out_stacks:
                if self.training:
                    outputs += [predict(low) for predict, low in zip(
                        stack.inner_heatmaps, inner)]
                outputs.append(features if heatmaps is None else heatmaps)
            if not is_last:
                x = stack.merge(x, features, heatmaps)
        return tuple(outputs)


def _recomputed_features(stack: Stack, x: Tensor) -> tuple[Tensor, ...]:
    """``stack.features(x)``, computed again in the backward pass."""
    if is_compiling():
        # Today's compiler recomputes values without updating buffers again,
        # and accepts no context_fn of this kind.
        return checkpoint(stack.features, x, use_reentrant=False)
    return checkpoint(
        stack.features, x, use_reentrant=False,
        context_fn=lambda: (nullcontext(), _unchanged_statistics(stack)))


@contextmanager
def _unchanged_statistics(module: nn.Module) -> Iterator[None]:
    """Keep running statistics, which else would count each step twice."""
    norms = [(norm, norm.momentum, norm.num_batches_tracked)
             for norm in module.modules()
             if isinstance(norm, nn.modules.batchnorm._NormBase)
             and norm.num_batches_tracked is not None]
    for norm, _, num_batches_tracked in norms:
        norm.momentum = 0.0
        # A throw-away counter: SyncBatchNorm needs one.
        norm.num_batches_tracked = num_batches_tracked.clone()
    try:
        yield
    finally:
        for norm, momentum, num_batches_tracked in norms:
            norm.momentum = momentum
            norm.num_batches_tracked = num_batches_tracked
