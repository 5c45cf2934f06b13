"""The stacked hourglass network.

Shape shorthand: B batch, S stacks, K keypoints, C channels, H W input size.

Source: Newell, Yang and Deng, "Stacked Hourglass Networks for Human Pose
Estimation", ECCV 2016 (arXiv:1603.06937v2), sections 3.1 to 3.3 and figure 4.
"""
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple, Optional, Union, cast

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmengine.model import BaseModule, PretrainedInit, normal_init
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..compat.versions import is_compiling
from .cornernet_form import CornerNetStack, CornerNetStem
from .hourglass import Hourglass
from .norm import build_norm
from .residual import Residual, residuals
from .weights.loading import load_pretrained, read_checkpoint


class NetworkSize(NamedTuple):
    """Arguments of :class:`StackedHourglass` that make a named network.

    ``num_weights`` counts the trainable weights at the other defaults, of
    Newell's form with 16 keypoints; a test counts them again.
    """

    num_stacks: int
    num_blocks: Union[int, Sequence[int]]
    num_weights: int
    feat_channels: Union[int, Sequence[int]] = 256
    depth: int = 4
    form: str = 'newell'


_CORNERNET: dict[str, Any] = dict(
    num_blocks=(2, 2, 2, 2, 2, 4),
    feat_channels=(256, 256, 384, 384, 384, 512),
    depth=5,
    form='cornernet')
#: The networks of the paper. hg1 to hg8 have one residual module at each
#: place; hg1x8, hg2x4 and hg4x2 are the ablation's at the weights of hg8
#: (stacks x residual modules, section 4.3 of the paper). hourglass104 is
#: CornerNet's, hourglass52 one stack of it.
SIZES: dict[str, NetworkSize] = {
    'hg1': NetworkSize(1, 1, 3_426_448),
    'hg2': NetworkSize(2, 1, 6_570_400),
    'hg4': NetworkSize(4, 1, 12_858_304),
    'hg8': NetworkSize(8, 1, 25_434_112),
    'hg1x8': NetworkSize(1, 8, 24_450_192),
    'hg2x4': NetworkSize(2, 4, 24_590_752),
    'hg4x2': NetworkSize(4, 2, 24_871_872),
    'hourglass52': NetworkSize(1, num_weights=93_662_848, **_CORNERNET),
    'hourglass104': NetworkSize(2, num_weights=187_700_352, **_CORNERNET),
}


class Stem(nn.Module):
    """From the image to a quarter of its resolution.

    7x7 convolution of stride 2, norm, ReLU, residual, 2x2 max pool, residual,
    residual. ``channels`` names the four widths; the paper's are 64, 128, 128
    and the width of the hourglasses.
    """

    def __init__(self, in_channels: int, channels: Sequence[int],
                 norm_cfg: Optional[dict]) -> None:
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
        x = F.max_pool2d(self.residual1(x), 2)  # (B, 128, H/4, W/4)
        return self.residual3(self.residual2(x))  # (B, C, H/4, W/4)


class Stack(nn.Module):
    """One of the S stages: an hourglass, its features, its prediction.

    The features are the hourglass's output after residual modules and a 1x1
    convolution with norm and ReLU. With ``num_keypoints`` a 1x1 convolution
    predicts heatmaps from them, and ``inner_heatmaps`` further ones from what
    the smaller hourglasses inside give. ``merge`` computes the next stack's
    input; the last stack has none.
    """

    def __init__(self, channels: Sequence[int], num_blocks: Sequence[int],
                 num_keypoints: Optional[int], inner_heatmaps: int,
                 is_last: bool, norm_cfg: Optional[dict]) -> None:
        super().__init__()
        width = channels[0]
        self.hourglass = Hourglass(channels, num_blocks, norm_cfg)
        self.residuals = residuals([width] * (num_blocks[0] + 1), norm_cfg)
        self.conv = nn.Conv2d(width, width, 1)
        self.norm = build_norm(norm_cfg, width)
        self.heatmaps: Optional[nn.Conv2d] = None
        self.merge_features: Optional[nn.Conv2d] = None
        self.merge_heatmaps: Optional[nn.Conv2d] = None
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
        count = len(self.inner_heatmaps)
        outputs: list[Tensor] = []
        x = self.hourglass(x, outputs) if count else self.hourglass(x)
        features = F.relu(
            self.norm(self.conv(self.residuals(x))), inplace=True)
        return (*outputs[-1 - count:-1], features)

    def merge(self, x: Tensor, features: Tensor,
              heatmaps: Optional[Tensor] = None) -> Tensor:
        """(B, C, H/4, W/4): the next stack's input, given this one's.

        Raises:
            ValueError: if this is the last stack.
        """
        if self.merge_features is None:
            raise ValueError('after the last stack nothing is merged')
        merged = self.merge_features(features)
        if self.merge_heatmaps is not None:
            merged = merged + self.merge_heatmaps(heatmaps)
        return x + merged


#: What a network of one form or the other is made of.
AnyStack = Union[Stack, CornerNetStack]


def _heatmap_convolution(channels: int, num_keypoints: int) -> nn.Conv2d:
    """A 1x1 convolution that starts near zero.

    Targets are almost everywhere zero. Starting there, not at the noise of a
    usual initialisation, saves the first epochs.
    """
    convolution = nn.Conv2d(channels, num_keypoints, 1)
    normal_init(convolution, std=0.001)  # and a bias of zeros
    return convolution


@MODELS.register_module()
class StackedHourglass(BaseModule):
    """The stacked hourglass network, as a backbone.

    Returns a tuple with one tensor per stack, first to last. With
    ``num_keypoints`` the network predicts heatmaps, feeds them back into the
    next stack as in the paper and returns them, (B, K, H/4, W/4) each.
    Without, it merges features only and returns features, (B, C, H/4, W/4)
    each, for any head or detector.

    The defaults are the paper's final network: 8 stacks, one residual module
    at each place, no weight sharing. ``from_size('hourglass104')`` is
    CornerNet's. Weights start as PyTorch's convolutions
    do, uniform within 1 / sqrt(fan in), which is Torch7's rule too; the
    convolutions that predict heatmaps start near zero.

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
            heatmaps are predicted as well in training mode: after upsampling
            to a half of the full resolution, to a quarter, ... They stand
            before their stack's in the returned tuple, from the lowest
            resolution. 2 with one stack is HG-Int of the paper's ablation
            (section 4.3); 0, the paper's network.
        in_channels: channels of the image.
        stem_channels: widths after the stem's convolution and its first and
            second residual module; the third ends at ``feat_channels``. The
            published PyTorch port by W. Yang uses ``(64, 128, 256)``. Default:
            the paper's ``(64, 128, 128)``, scaled with ``feat_channels``.
        out_stacks: which stacks are returned, counted from 0 or from the end,
            in ascending order; the last stack must be among them, since
            weights after the last returned stack would never learn.
            ``None`` returns all.
        norm_cfg: normalisation layers everywhere: ``dict(type='BN')``,
            ``SyncBN``, ``GN`` with ``num_groups``, ...; see
            :func:`hourglass_plugin.models.norm.build_norm`.
        with_cp: recompute each stack's activations in the backward pass
            instead of keeping them: less memory for more time, same result.
            Those of the last stack, which are needed at once, are kept.
            ``CompileHook`` compiles such a network too. The network as
            a whole is not to be compiled with torch 2.8 or older, which then
            counts each batch twice in the running statistics (2.1 fails).
        form: ``'newell'``, or ``'cornernet'`` for the modules of
            :mod:`hourglass_plugin.models.cornernet_form`, which predict no
            heatmaps and have one width of the stem, C / 2.
        init_cfg: mmengine's initialisation config. With
            ``dict(type='Pretrained', checkpoint=FILE)`` the file may be a
            published port's, too, and be for other keypoints; see
            :func:`hourglass_plugin.models.pretrained.load_pretrained`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import torch
        >>> network = StackedHourglass(num_stacks=2, num_keypoints=16)
        >>> [tuple(h.shape) for h in network(torch.rand(1, 3, 256, 256))]
        [(1, 16, 64, 64), (1, 16, 64, 64)]
    """

    init_cfg: Union[dict, list, None]

    def __init__(self,
                 num_stacks: int = 8,
                 num_blocks: Union[int, Sequence[int]] = 1,
                 feat_channels: Union[int, Sequence[int]] = 256,
                 depth: int = 4,
                 num_keypoints: Optional[int] = None,
                 inner_heatmaps: int = 0,
                 in_channels: int = 3,
                 stem_channels: Optional[Sequence[int]] = None,
                 out_stacks: Optional[Sequence[int]] = None,
                 norm_cfg: Optional[dict] = None,
                 with_cp: bool = False,
                 form: str = 'newell',
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        counts = dict(
            num_stacks=num_stacks, depth=depth, in_channels=in_channels)
        if num_keypoints is not None:
            counts['num_keypoints'] = num_keypoints
        for name, value in counts.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'{name} must be a positive integer, but it is {value!r}')
        blocks = _for_each_resolution('num_blocks', num_blocks, depth)
        widths = _for_each_resolution('feat_channels', feat_channels, depth)
        if form not in ('newell', 'cornernet'):
            raise ValueError(f"form={form!r} must be 'newell' or 'cornernet'")
        if form == 'cornernet' and (num_keypoints or stem_channels):
            raise ValueError(
                "form='cornernet' takes neither num_keypoints nor "
                'stem_channels: it predicts no heatmaps, a head does, and '
                'its stem has half the width of its hourglasses')
        if (not isinstance(inner_heatmaps, int)
                or not 0 <= inner_heatmaps < depth
                or (inner_heatmaps and num_keypoints is None)):
            raise ValueError(
                f'inner_heatmaps={inner_heatmaps!r} must be a number from 0 '
                f'to less than depth={depth}, and needs num_keypoints')
        if any(width % 4 for width in widths):
            raise ValueError('feat_channels must be a multiple of 4, but it '
                             f'is {feat_channels}')
        if stem_channels is None:
            stem_channels = (widths[0] // 4, widths[0] // 2, widths[0] // 2)
        if (not isinstance(stem_channels, (list, tuple))
                or len(stem_channels) != 3 or any(
                    not isinstance(width, int) or width < 1
                    for width in stem_channels)):
            raise ValueError(
                'stem_channels must name three positive widths, e.g. '
                f'(64, 128, 128), but it is {stem_channels!r}')
        self.num_stacks = num_stacks
        self.num_keypoints = num_keypoints
        self.out_channels = num_keypoints or widths[0]
        self.depth = depth
        self.with_cp = with_cp
        if out_stacks is None:
            out_stacks = tuple(range(num_stacks))
        self.out_stacks = stack_indices(out_stacks, num_stacks)
        if self.out_stacks[-1] != num_stacks - 1:
            raise ValueError(
                f'out_stacks={self.out_stacks} leaves weights behind that '
                'would never learn: make the last of them '
                f'{num_stacks - 1} or -1')

        are_last = [False] * (num_stacks - 1) + [True]
        self.stem: nn.Module
        if form == 'newell':
            self.stem = Stem(in_channels, (*stem_channels, widths[0]),
                             norm_cfg)
            stacks = nn.ModuleList(
                Stack(widths, blocks, num_keypoints, inner_heatmaps, is_last,
                      norm_cfg) for is_last in are_last)
        else:
            self.stem = CornerNetStem(in_channels, widths[0], norm_cfg)
            stacks = nn.ModuleList(
                CornerNetStack(widths, blocks, is_last, norm_cfg)
                for is_last in are_last)
        # A ModuleList does not tell type checkers what is in it.
        self.stacks = cast('Sequence[AnyStack]', stacks)
        # Channels innermost in memory: the layout in which convolutions of
        # this kind are fastest, on processors and on GPUs. Values stay equal.
        self.to(memory_format=torch.channels_last)

    @classmethod
    def from_size(cls, name: str, **arguments: Any) -> 'StackedHourglass':
        """Build one of the published networks by its name in ``SIZES``.

        Args:
            name: ``hg1``, ``hg2``, ``hg4``, ``hg8``, ``hg1x8``, ``hg2x4``,
                ``hg4x2``, ``hourglass52`` or ``hourglass104``.
            arguments: the class's other arguments, or other values than the
                size's.

        Raises:
            ValueError: if there is no such size.
        """
        if name not in SIZES:
            raise ValueError(f'there is no size {name!r}; choose from '
                             f'{", ".join(SIZES)}')
        size = SIZES[name]._asdict()
        del size['num_weights']
        return cls(**{**size, **arguments})

    def init_weights(self) -> None:
        """Initialise the weights as ``init_cfg`` says; mmengine calls it.

        Raises:
            FileNotFoundError: if there is no such checkpoint.
            ValueError: if the checkpoint is of another network, or none.
        """
        init_cfg = self.init_cfg
        parts = init_cfg if isinstance(init_cfg, list) else [init_cfg]
        # mmengine's own would warn of a port's names and go on at random.
        pretrained = [
            part for part in parts
            if part and part['type'] in ('Pretrained', PretrainedInit)
        ]
        self.init_cfg = [
            part for part in parts if part and part not in pretrained
        ] or None
        is_first_call = not self.is_init
        super().init_weights()
        self.init_cfg = init_cfg
        for part in pretrained if is_first_call else []:
            path = part['checkpoint']
            try:
                said = load_pretrained(self, read_checkpoint(path),
                                       part.get('prefix'))
            except ValueError as error:
                raise ValueError(f'{path}: {error}') from error
            for sentence in said:
                print_log(f'{path}: {sentence}', 'current')

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Compute the heatmaps or the features of the stacks asked for.

        Args:
            image: (B, in_channels, H, W) float; the paper's values are RGB in
                [0, 1]. H and W are multiples of 4 * 2^depth (64 by default),
                or one less, as CornerNet's 511.

        Returns:
            One tensor for each of ``out_stacks``: (B, K, H/4, W/4) heatmaps
            with ``num_keypoints``, else (B, C, H/4, W/4) features. Sides are
            rounded up: 511 gives 128. With ``inner_heatmaps``, in training
            mode, those of lower resolutions before each.

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
            heatmaps = None
            if stack.heatmaps is not None:
                heatmaps = stack.heatmaps(features)
            if index in self.out_stacks:
                if self.training:
                    outputs += [
                        predict(low) for predict, low in zip(
                            stack.inner_heatmaps, inner)
                    ]
                outputs.append(features if heatmaps is None else heatmaps)
            if not is_last:
                x = stack.merge(x, features, heatmaps)
        return tuple(outputs)


def _for_each_resolution(name: str, value: object,
                         depth: int) -> tuple[int, ...]:
    """An argument for each resolution of an hourglass, from the full one down.

    Raises:
        ValueError: if it is neither a positive integer nor one for each.
    """
    values = value if isinstance(value, (list, tuple)) else [value] * (
        depth + 1)
    if len(values) != depth + 1 or any(
            not isinstance(each, int) or each < 1 for each in values):
        raise ValueError(
            f'{name} must be a positive integer, or one for each of the '
            f'{depth + 1} resolutions at depth={depth}, but it is {value!r}')
    return tuple(values)


def stack_indices(out_stacks: Sequence[int],
                  num_stacks: int) -> tuple[int, ...]:
    """The stacks asked for as indices from 0.

    Args:
        out_stacks: stacks counted from 0 or from the end, in ascending order.
        num_stacks: number of stacks that there are.

    Raises:
        ValueError: if they are not different stacks in ascending order.
    """
    if not isinstance(out_stacks, (list, tuple)) or any(
            type(index) is not int for index in out_stacks):
        raise ValueError(f'out_stacks={out_stacks!r} must be a sequence of '
                         'whole numbers, e.g. (-1, ) for the last stack')
    indices = tuple(
        index + num_stacks if index < 0 else index for index in out_stacks)
    if (not indices or list(indices) != sorted(set(indices))
            or indices[0] < 0 or indices[-1] >= num_stacks):
        raise ValueError(
            f'out_stacks={tuple(out_stacks)} does not fit num_stacks='
            f'{num_stacks}: give different stacks in ascending order, counted '
            'from 0 or from the end')
    return indices


def check_image(image: Tensor, depth: int) -> None:
    """Refuse images whose sides do not halve evenly down to the bottom.

    Args:
        image: (B, C, H, W).
        depth: how often an hourglass halves the resolution.

    Raises:
        ValueError: if it is not a batch of images, or the size does not fit.
    """
    if image.ndim != 4:
        raise ValueError('the image must be a batch (B, in_channels, H, W)'
                         f', but its shape is {tuple(image.shape)}')
    multiple = 4 * 2**depth
    height, width = image.shape[-2:]
    # One pixel less passes because the stem's stride rounds up.
    if height % multiple not in (0, multiple - 1) or width % multiple \
            not in (0, multiple - 1):
        raise ValueError(
            f'the image is {height} x {width} pixels (height x width), '
            f'but at depth {depth} each side must be a multiple of '
            f'{multiple} or one less; resize or pad it, for example to '
            f'{-(-height // multiple) * multiple} x '
            f'{-(-width // multiple) * multiple}')


def _recomputed_features(stack: AnyStack, x: Tensor) -> tuple[Tensor, ...]:
    """``stack.features(x)``, computed again in the backward pass."""
    if is_compiling():
        # Today's compiler recomputes values without updating buffers again,
        # and accepts no context_fn of this kind.
        return checkpoint(stack.features, x, use_reentrant=False)
    return checkpoint(
        stack.features,
        x,
        use_reentrant=False,
        context_fn=lambda:
        (nullcontext(), _unchanged_running_statistics(stack)))


@contextmanager
def _unchanged_running_statistics(module: nn.Module) -> Iterator[None]:
    """Keep norms' running statistics while activations are recomputed.

    The first pass has already updated them; without this, every training step
    would count twice.
    """
    norms = [(norm, norm.momentum, norm.num_batches_tracked)
             for norm in module.modules()
             if isinstance(norm, nn.modules.batchnorm._NormBase)
             and norm.num_batches_tracked is not None]
    for norm, _, num_batches_tracked in norms:
        norm.momentum = 0.0
        # A copy that is counted up in vain: SyncBatchNorm insists on one.
        norm.num_batches_tracked = num_batches_tracked.clone()
    try:
        yield
    finally:
        for norm, momentum, num_batches_tracked in norms:
            norm.momentum = momentum
            norm.num_batches_tracked = num_batches_tracked
