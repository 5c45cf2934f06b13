"""One hourglass against numbers worked out by hand.

That its weights act where the paper puts them is tested with the whole
network, against a second implementation.
"""
import pytest
import torch

from hourglass_plugin.models.hourglass import Hourglass
from hourglass_plugin.models.residual import Residual
from hourglass_plugin.models.stacked_hourglass import StackedHourglass


@pytest.mark.parametrize('depth, bottom', [(1, 0), (2, 15)])
def test_sum_over_scales_by_hand(depth, bottom):
    """Residual modules that add nothing leave the input, plus the maxima of
    its 2x2 blocks, plus (at depth 2) the maximum of the 4x4 block."""
    hourglass = Hourglass([2] * (depth + 1), [1] * (depth + 1)).eval()
    for module in hourglass.modules():
        if isinstance(module, Residual):
            torch.nn.init.zeros_(module.conv3.weight)
            torch.nn.init.zeros_(module.conv3.bias)
    x = torch.arange(16.0).view(4, 4)
    blocks = torch.tensor([[5., 5., 7., 7.], [5., 5., 7., 7.],
                           [13., 13., 15., 15.], [13., 13., 15., 15.]])
    torch.testing.assert_close(
        hourglass(x.expand(1, 2, 4, 4))[0, 1], x + blocks + bottom)


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
