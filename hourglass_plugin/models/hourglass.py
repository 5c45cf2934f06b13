"""One hourglass: down to a few pixels and back, with a skip at every scale.

Shape shorthand: B batch, C channels, H W height and width.

Source: Newell, Yang and Deng, ECCV 2016, figure 3 and section 3.1.
"""
from typing import Optional

import torch.nn.functional as F
from torch import Tensor, nn

from .residual import residuals


class Hourglass(nn.Module):
    """``skip(x) + upsample(up(inner(down(pool(x)))))``, recursive.

    ``inner`` is the next smaller hourglass or, at the bottom, residuals.

    Args:
        depth: number of times that the resolution is halved.
        channels: channels everywhere inside (256 in the paper).
        num_blocks: residual modules at each place (1 in the paper's final
            network).
        norm_cfg: normalisation layer, see :func:`build_norm`.
    """

    def __init__(self,
                 depth: int,
                 channels: int,
                 num_blocks: int,
                 norm_cfg: Optional[dict] = None) -> None:
        super().__init__()
        self.skip = residuals(channels, num_blocks, norm_cfg)
        self.down = residuals(channels, num_blocks, norm_cfg)
        self.inner: nn.Module
        if depth > 1:
            self.inner = Hourglass(depth - 1, channels, num_blocks, norm_cfg)
        else:
            self.inner = residuals(channels, num_blocks, norm_cfg)
        self.up = residuals(channels, num_blocks, norm_cfg)

    def forward(self,
                x: Tensor,
                outputs: Optional[list[Tensor]] = None) -> Tensor:
        """Map (B, C, H, W) to the same shape; H and W divide by 2^depth.

        Args:
            x: the input.
            outputs: what the smaller hourglasses inside give, from the
                smallest, and at last the result are appended here.
        """
        skip = self.skip(x)  # (B, C, H, W)
        low = self.down(F.max_pool2d(x, 2))  # (B, C, H/2, W/2)
        if outputs is not None and isinstance(self.inner, Hourglass):
            low = self.up(self.inner(low, outputs))
        else:
            low = self.up(self.inner(low))  # (B, C, H/2, W/2)
        result = skip + F.interpolate(low, scale_factor=2.0, mode='nearest')
        if outputs is not None:
            outputs.append(result)
        return result
