"""One hourglass against numbers worked out by hand.

That its weights act where the paper puts them is tested with the whole
network, against a second implementation.
"""
import pytest
import torch

from hourglass_plugin.models.hourglass import Hourglass
from hourglass_plugin.models.residual import Residual


def without_residuals(depth, channels=2):
    """An hourglass whose residual modules pass their input on unchanged."""
    hourglass = Hourglass([channels] * (depth + 1), [1] * (depth + 1)).eval()
    for module in hourglass.modules():
        if isinstance(module, Residual):
            torch.nn.init.zeros_(module.conv3.weight)
            torch.nn.init.zeros_(module.conv3.bias)
    return hourglass


def test_sum_over_scales_by_hand():
    x = torch.tensor([[0., 1., 2., 3.], [4., 5., 6., 7.], [8., 9., 10., 11.],
                      [12., 13., 14., 15.]])
    # What is left is the input, plus the maxima of its 2x2 blocks, plus (at
    # depth 2) the maximum of the 4x4 block.
    blocks = torch.tensor([[5., 5., 7., 7.], [5., 5., 7., 7.],
                           [13., 13., 15., 15.], [13., 13., 15., 15.]])
    batch = x.expand(1, 2, 4, 4)
    torch.testing.assert_close(without_residuals(1)(batch)[0, 1], x + blocks)
    torch.testing.assert_close(
        without_residuals(2)(batch)[0, 1], x + blocks + 15)


@pytest.mark.parametrize('height, width', [(8, 8), (16, 8), (8, 24)])
def test_shape_is_kept(height, width):
    hourglass = Hourglass([4, 4, 4, 4], [1, 1, 1, 1]).eval()
    x = torch.rand(2, 4, height, width)
    assert hourglass(x).shape == x.shape


@pytest.mark.parametrize('depth', [1, 2, 4])
@pytest.mark.parametrize('num_blocks', [1, 3])
def test_number_of_residual_modules(depth, num_blocks):
    # Three places at each halving and one at the bottom; nothing is shared.
    hourglass = Hourglass([4] * (depth + 1), [num_blocks] * (depth + 1))
    modules = [m for m in hourglass.modules() if isinstance(m, Residual)]
    assert len(modules) == (3 * depth + 1) * num_blocks
    each = sum(p.numel() for p in Residual(4, 4).parameters())
    assert sum(p.numel()
               for p in hourglass.parameters()) == len(modules) * each


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


def test_bottom_has_the_whole_image_in_view():
    # The bottom of depth 3 over 8x8 pixels is one pixel: a change in one
    # corner reaches the opposite one.
    hourglass = without_residuals(3)
    x = torch.zeros(1, 2, 8, 8)
    x[..., 0, 0] = 1.
    assert hourglass(x)[0, 0, 7, 7] == 1.
    assert without_residuals(2)(x)[0, 0, 7, 7] == 0.
