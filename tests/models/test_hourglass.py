"""Widths and residual modules of one hourglass at each resolution.

Its arithmetic is tested with the whole network, against a second
implementation.
"""
import torch

from hourglass_plugin.models.hourglass import Hourglass
from hourglass_plugin.models.stacked_hourglass import StackedHourglass


def test_widths_and_residual_modules_for_each_resolution():
    hourglass = Hourglass([4, 6, 8], [1, 2, 3]).eval()
    widths = [[[(block.conv1.in_channels, block.conv3.out_channels)
                for block in place] for place in places]
              for places in ((hourglass.skip, hourglass.down, hourglass.up),
                             (hourglass.inner.skip, hourglass.inner.down,
                              hourglass.inner.up, hourglass.inner.inner))]
    assert widths[0] == [[(4, 4)], [(4, 6)], [(6, 4)]]
    # On the way down the first module changes the width, up the last.
    assert widths[1] == [[(6, 6)] * 2, [(6, 8), (8, 8)], [(8, 8), (8, 6)],
                         [(8, 8)] * 3]
    assert hourglass(torch.rand(1, 4, 8, 12)).shape == (1, 4, 8, 12)
    stem = StackedHourglass(1, feat_channels=24).stem
    assert [stem.conv.out_channels, stem.residual1.conv3.out_channels,
            stem.residual2.conv3.out_channels] == [6, 12, 12]
