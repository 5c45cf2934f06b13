"""The residual module of the stacked hourglass: a pre-activation bottleneck.

Shape shorthand: B batch, C channels, H W height and width.

Source: Newell, Yang and Deng, "Stacked Hourglass Networks for Human Pose
Estimation", ECCV 2016, figure 4 (left); pre-activation order as in He et al.,
"Identity Mappings in Deep Residual Networks", ECCV 2016.
"""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from .norm import build_norm


class Residual(nn.Module):
    """Three norm-ReLU-convolution steps (1x1, 3x3, 1x1) around a skip.

    The two inner convolutions have half as many channels as the output. The
    skip is a 1x1 convolution where the channels change.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; an even number.
        norm_cfg: normalisation layer, see :func:`build_norm`.

    Raises:
        ValueError: if ``out_channels`` is odd.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: int,
                 norm_cfg: dict | None = None) -> None:
        super().__init__()
        if out_channels % 2:
            raise ValueError(f'out_channels={out_channels} must be even')
        middle = out_channels // 2
        self.norm1 = build_norm(norm_cfg, in_channels)
        self.conv1 = nn.Conv2d(in_channels, middle, 1)
        self.norm2 = build_norm(norm_cfg, middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=1)
        self.norm3 = build_norm(norm_cfg, middle)
        self.conv3 = nn.Conv2d(middle, out_channels, 1)
        self.skip: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.skip = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        # In place: the output of a norm has no other use.
        y = F.relu(self.norm1(x), inplace=True)
        y = self.conv1(y)  # (B, C/2, H, W)
        y = self.conv2(F.relu(self.norm2(y), inplace=True))  # (B, C/2, H, W)
        y = self.conv3(F.relu(self.norm3(y), inplace=True))  # (B, C, H, W)
        return self.skip(x) + y


def residuals(widths: Sequence[int],
              norm_cfg: dict | None = None) -> nn.Sequential:
    """One residual module from each width (channels) to the next."""
    return nn.Sequential(
        *(Residual(inputs, outputs, norm_cfg)
          for inputs, outputs in zip(widths, widths[1:])))
