"""Which images the network takes, and where in them its outputs look."""
import pytest
import torch
import torch.nn.functional as F
from small_network import image, small_network
from torch import nn

from hourglass_plugin.models.stacked_hourglass import StackedHourglass


@pytest.mark.parametrize('depth, size, expected', [
    (4, (64, 192), (16, 48)),
    # The 7x7 convolution with padding 3 and stride 2 gives
    # (511 - 1) / 2 + 1 = 256, the pooling 128; as for 512.
    (4, (511, 511), (128, 128)),
    # CornerNet in tests: (127 - 1) / 2 + 1 = 64, 32; (383 - 1) / 2 + 1.
    (5, (127, 383), (32, 96)),
    (1, (8, 23), (2, 6))])
def test_output_size(depth, size, expected):
    with torch.device('meta'):
        network = StackedHourglass(2, depth=depth, num_keypoints=5)
        outputs = network(torch.empty(2, 3, *size))
    assert [o.shape for o in outputs] == [(2, 5, *expected)] * 2


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('height, width', [(63, 64), (47, 79)])
def test_one_pixel_less_is_the_larger_image_with_a_black_edge(
        height, width, training):
    # Hence no shift: cell (i, j) looks at the same pixels for both sizes.
    network = small_network().train(training)
    x = image(2, 3, height, width)
    padded = F.pad(x, (0, -width % 16, 0, -height % 16))
    for output, reference in zip(network(x), network(padded)):
        assert torch.equal(output, reference)


def transparent_network(num_stacks):
    """Passes the image's brightness on as simply as the structure allows.

    Norms are the identity, residual modules add nothing, 1x1 convolutions
    copy channel by channel, the 7x7 convolution adds up its window, and no
    stack adds anything to the next one's input.
    """
    network = StackedHourglass(
        num_stacks=num_stacks, feat_channels=4, stem_channels=(4, 4, 4),
        depth=2, num_keypoints=4, norm_cfg=dict(type='BN', eps=0.0)).eval()
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.bias)
            nn.init.zeros_(module.weight)
            if name == 'stem.conv':
                nn.init.constant_(module.weight, 1 / 3)
            elif name.endswith(('.conv', '.heatmaps')):
                nn.init.dirac_(module.weight)
    return network


def answering_cells(pixel, side):
    """Cells at a quarter of the resolution that see a pixel.

    Position i after the stem's convolution sees pixels 2i - 3 to 2i + 3, and
    cell j joins positions 2j and 2j + 1: pixels 4j - 3 to 4j + 5.
    """
    cells = torch.arange(-(-side // 4))
    return ((4 * cells - 3 <= pixel) & (pixel <= 4 * cells + 5)).float()


@pytest.mark.parametrize('num_stacks', [1, 2])
@pytest.mark.parametrize('height, width', [(32, 48), (31, 47)])
@pytest.mark.parametrize('row, column', [(0, 0), (13, 21), (14, 22), (16, 24),
                                         (30, 46)])
def test_one_bright_pixel_comes_out_where_it_is(num_stacks, height, width, row,
                                                column):
    x = torch.zeros(1, 3, height, width)
    x[:, :, row, column] = 1.
    seen = torch.outer(
        answering_cells(row, height), answering_cells(column, width))
    # The hourglass adds the maxima of aligned blocks of 2 and of 4 cells:
    # cells near the pixel answer with 3, those beside it with 2 and with 1.
    expected = seen
    for block in (2, 4):
        pooled = F.max_pool2d(seen[None], block)[0]
        expected = expected + torch.kron(pooled, torch.ones(block, block))
    for output in transparent_network(num_stacks)(x):
        torch.testing.assert_close(output[0], expected.expand(4, -1, -1))
    assert expected[row // 4, column // 4] == 3


@pytest.mark.parametrize('shape, nearest', [
    ((1, 3, 100, 64), '128 x 64'), ((1, 3, 64, 65), '64 x 128'),
    ((1, 3, 126, 128), '128 x 128'), ((3, 64, 64), 'in_channels')])
def test_illegal_image_is_refused_with_the_nearest_size(shape, nearest):
    with pytest.raises(ValueError, match=nearest):
        small_network(depth=4, feat_channels=4)(torch.zeros(shape))
