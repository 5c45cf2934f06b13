"""One hourglass: down to a few pixels and back, with a skip at every scale.

Shape shorthand: B batch, C channels, H W height and width.

Source: Newell, Yang and Deng, ECCV 2016, figure 3 and section 3.1.
"""
from collections.abc import Sequence
from typing import Callable, Optional

import torch.nn.functional as F
from torch import Tensor, nn

from .residual import Residual, residuals


class Hourglass(nn.Module):
    """``skip(x) + upsample(up(inner(down(pool(x)))))``, recursive.

    ``inner`` is the next smaller hourglass or, at the bottom, residuals.

    Args:
        channels: of each resolution, from the full one down; the resolution is
            halved once less than there are numbers (256 five times in the
            paper). The width changes in the first module on the way down and
            the last on the way up.
        num_blocks: residual modules at each place of each resolution (1 in the
            paper's final network); the last number is the bottom's.
        norm_cfg: normalisation layer, see :func:`build_norm`.
        block: what a residual module is.
        is_strided: the first module on the way down halves the resolution by
            its ``stride``, in the place of a 2x2 max pool before it.
    """

    def __init__(self,
                 channels: Sequence[int],
                 num_blocks: Sequence[int],
                 norm_cfg: Optional[dict] = None,
                 block: Callable[..., nn.Module] = Residual,
                 is_strided: bool = False) -> None:
        super().__init__()
        (outer, inner), count = channels[:2], num_blocks[0]
        stride = {'stride': 2} if is_strided else {}
        self.skip = residuals([outer] * (count + 1), norm_cfg, block)
        self.pool = nn.Identity() if is_strided else nn.MaxPool2d(2)
        self.down = residuals([outer] + [inner] * count, norm_cfg, block,
                              **stride)
        self.inner: nn.Module
        if len(channels) > 2:
            self.inner = Hourglass(channels[1:], num_blocks[1:], norm_cfg,
                                   block, is_strided)
        else:
            self.inner = residuals([inner] * (num_blocks[1] + 1), norm_cfg,
                                   block)
        self.up = residuals([inner] * count + [outer], norm_cfg, block)

    def forward(self,
                x: Tensor,
                outputs: Optional[list[Tensor]] = None) -> Tensor:
        """Map (B, C, H, W) to the same shape; H and W divide by 2^halvings.

        Args:
            x: the input.
            outputs: what the smaller hourglasses inside give, from the
                smallest, and at last the result are appended here.
        """
        skip = self.skip(x)  # (B, C, H, W)
        low = self.down(self.pool(x))  # (B, C, H/2, W/2)
        if outputs is not None and isinstance(self.inner, Hourglass):
            low = self.up(self.inner(low, outputs))
        else:
            low = self.up(self.inner(low))  # (B, C, H/2, W/2)
        result = skip + F.interpolate(low, scale_factor=2.0, mode='nearest')
        if outputs is not None:
            outputs.append(result)
        return result
