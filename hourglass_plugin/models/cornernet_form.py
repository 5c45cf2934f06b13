"""The stacked hourglass network in CornerNet's form, Hourglass-104.

Against Newell's: post-activation residual modules, strides in the place of
pooling, wider inside than outside, a 3x3 convolution after each hourglass, and
a next input that is normalised and goes through a residual module.
Convolutions before a norm have no bias.

Shape shorthand: B batch, C channels, H W height and width.

Source: Law and Deng, "CornerNet: Detecting Objects as Paired Keypoints", ECCV
2018 (arXiv:1808.01244), section 3.5; residual modules: He et al., "Deep
Residual Learning for Image Recognition", CVPR 2016.
"""
from collections.abc import Sequence
from typing import Optional

import torch.nn.functional as F
from torch import Tensor, nn

from .hourglass import Hourglass
from .norm import build_norm


class ConvNorm(nn.Module):
    """A convolution and its norm; sides are divided by ``stride``, rounded up.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: odd.
        norm_cfg: normalisation layer, see :func:`build_norm`.
        stride: of the convolution.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 kernel_size: int,
                 norm_cfg: Optional[dict] = None,
                 stride: int = 1) -> None:
        super().__init__()
        # A 1x1 convolution reads every other pixel only. That it is given no
        # others is faster, and torch (2.1 to 2.13) writes beyond its memory in
        # the backward pass of a strided one of 8 channels on processors.
        self.step = stride if kernel_size == 1 else 1
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride // self.step,
            padding=kernel_size // 2,
            bias=False)
        self.norm = build_norm(norm_cfg, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H', W')."""
        return self.norm(self.conv(x[..., ::self.step, ::self.step]))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a skip, and a ReLU after the sum.

    The skip is the identity, or a 1x1 convolution with a norm where channels
    or resolution change.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        norm_cfg: normalisation layer, see :func:`build_norm`.
        stride: of the first convolution and of the skip.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 norm_cfg: Optional[dict] = None,
                 stride: int = 1) -> None:
        super().__init__()
        self.first = ConvNorm(in_channels, out_channels, 3, norm_cfg, stride)
        self.second = ConvNorm(out_channels, out_channels, 3, norm_cfg)
        self.skip: nn.Module = nn.Identity()
        if in_channels != out_channels or stride != 1:
            self.skip = ConvNorm(in_channels, out_channels, 1, norm_cfg,
                                 stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H', W')."""
        y = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(self.skip(x) + y, inplace=True)


class CornerNetStem(nn.Module):
    """7x7 convolution of stride 2, norm, ReLU, residual module of stride 2."""

    def __init__(self, in_channels: int, channels: int,
                 norm_cfg: Optional[dict]) -> None:
        super().__init__()
        self.conv = ConvNorm(in_channels, channels // 2, 7, norm_cfg, 2)
        self.residual = BasicBlock(channels // 2, channels, norm_cfg, 2)

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, C, H/4, W/4)."""
        return self.residual(F.relu(self.conv(image), inplace=True))


class CornerNetStack(nn.Module):
    """One of the S stages: an hourglass, its features, the next input.

    The features are the hourglass's output after a 3x3 convolution with norm
    and ReLU. This form predicts nothing by itself; a head does.
    """

    heatmaps: Optional[nn.Conv2d] = None
    inner_heatmaps: Sequence[nn.Conv2d] = ()

    def __init__(self, channels: Sequence[int], num_blocks: Sequence[int],
                 is_last: bool, norm_cfg: Optional[dict]) -> None:
        super().__init__()
        width = channels[0]
        self.hourglass = Hourglass(
            channels, num_blocks, norm_cfg, BasicBlock, is_strided=True)
        self.conv = ConvNorm(width, width, 3, norm_cfg)
        self.merge_features: Optional[ConvNorm] = None
        if not is_last:
            self.merge_input = ConvNorm(width, width, 1, norm_cfg)
            self.merge_features = ConvNorm(width, width, 1, norm_cfg)
            self.residual = BasicBlock(width, width, norm_cfg)

    def features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map (B, C, H/4, W/4) to features of the same shape."""
        return (F.relu(self.conv(self.hourglass(x)), inplace=True), )

    def merge(self, x: Tensor, features: Tensor,
              heatmaps: Optional[Tensor] = None) -> Tensor:
        """(B, C, H/4, W/4): the next stack's input.

        Raises:
            ValueError: if this is the last stack.
        """
        if self.merge_features is None:
            raise ValueError('after the last stack nothing is merged')
        merged = self.merge_input(x) + self.merge_features(features)
        return self.residual(F.relu(merged, inplace=True))
