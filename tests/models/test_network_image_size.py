"""Which images the network takes, and how large its outputs are."""
import pytest
import torch
import torch.nn.functional as F
from small_network import image, small_network

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


@pytest.mark.parametrize('shape, nearest', [
    ((1, 3, 100, 64), '128 x 64'), ((1, 3, 64, 65), '64 x 128'),
    ((1, 3, 126, 128), '128 x 128'), ((3, 64, 64), 'in_channels')])
def test_illegal_image_is_refused_with_the_nearest_size(shape, nearest):
    with pytest.raises(ValueError, match=nearest):
        small_network(depth=4, feat_channels=4)(torch.zeros(shape))
