"""One hourglass: down to a few pixels and back, with a skip at every scale.

Shape shorthand: B batch, C channels, H W height and width.

Source: Newell, Yang and Deng, ECCV 2016, figure 3 and section 3.1.
"""
from collections.abc import Sequence
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from .residual import residuals


class Hourglass(nn.Module):
    """``skip(x) + upsample(up(inner(down(pool(x)))))``, recursive.

    ``inner`` is the next smaller hourglass or, at the bottom, residuals.

    Args:
        channels: of each resolution, from the full one down (256 five times in
            the paper). The width changes in the first module on the way down
            and the last on the way up.
        num_blocks: residual modules at each place of each resolution (1 in the
            paper's final network); the last number is the bottom's.
        norm_cfg: normalisation layer, see :func:`build_norm`.
    """

    def __init__(self,
                 channels: Sequence[int],
                 num_blocks: Sequence[int],
                 norm_cfg: dict | None = None) -> None:
        super().__init__()
        (outer, inner), count = channels[:2], num_blocks[0]
        self.skip = residuals([outer] * (count + 1), norm_cfg)
        # Core ML's converter needs the stride written out.
        self.pool = nn.MaxPool2d(2, stride=2)
        self.down = residuals([outer] + [inner] * count, norm_cfg)
        self.inner: nn.Module
        if len(channels) > 2:
            self.inner = Hourglass(channels[1:], num_blocks[1:], norm_cfg)
        else:
            self.inner = residuals([inner] * (num_blocks[1] + 1), norm_cfg)
        self.up = residuals([inner] * count + [outer], norm_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape; H and W divide by 2^halvings."""
        skip = self.skip(x)  # (B, C, H, W)
        low = self.down(self.pool(x))  # (B, C_inner, H/2, W/2)
        low = self.up(self.inner(low))  # (B, C, H/2, W/2)
        high = F.interpolate(low, scale_factor=2.0, mode='nearest')
        return skip + high  # (B, C, H, W)

    def pyramid(self, x: Tensor, count: int) -> list[Tensor]:
        """Outputs of ``count`` smaller hourglasses inside, then of this one.

        Returns:
            ``count + 1`` tensors, from the lowest resolution to that of
            :meth:`forward`; ``count`` is less than the number of halvings.
        """
        if count == 0:
            return [self(x)]
        skip = self.skip(x)
        inner = cast('Hourglass', self.inner)
        smaller = inner.pyramid(self.down(self.pool(x)), count - 1)
        low = self.up(smaller[-1])
        high = F.interpolate(low, scale_factor=2.0, mode='nearest')
        return [*smaller, skip + high]
