"""The residual module against numbers worked out by hand.

Weight counts are in test_network_size.py.
"""
import pytest
import torch

from hourglass_plugin.models.residual import Residual

# Without epsilon a fresh batch norm in eval mode is exactly the identity.
IDENTITY_NORM = dict(type='BN', eps=0.0)
PIXEL = torch.tensor([1., -2.]).view(1, 2, 1, 1)


def set_weight(layer, weight, bias):
    """Give a convolution the weights; a 3x3 kernel in its centre only."""
    with torch.no_grad():
        layer.weight.zero_()
        centre = layer.weight.shape[-1] // 2
        layer.weight[:, :, centre, centre] = torch.tensor(weight)
        layer.bias.copy_(torch.tensor(bias))


def two_channel_module():
    module = Residual(2, 2, IDENTITY_NORM).eval()
    set_weight(module.conv1, [[2., 3.]], [0.5])
    set_weight(module.conv2, [[2.]], [-1.])
    set_weight(module.conv3, [[1.], [-1.]], [0.25, 0.])
    return module


def test_one_pixel_by_hand():
    module = two_channel_module()
    # ReLU first: (1, -2) -> (1, 0); conv1: 2 * 1 + 3 * 0 + 0.5 = 2.5;
    # conv2: 2 * 2.5 - 1 = 4; conv3: (4.25, -4); plus the input itself, to
    # which neither norm nor ReLU was applied: (5.25, -6).
    assert module(PIXEL.clone()).flatten().tolist() == [5.25, -6]
    # conv1 gives -0.5 and conv2 -0.5: as negative values both vanish, so the
    # biases 0 of conv2 and (0.25, 0) of conv3 are all that is added.
    set_weight(module.conv1, [[0., 0.]], [-0.5])
    set_weight(module.conv2, [[1.]], [-0.5])
    assert module(PIXEL.clone()).flatten().tolist() == [1.25, -2]


def test_middle_convolution_sees_3x3_with_zeros_outside():
    module = two_channel_module()
    torch.nn.init.ones_(module.conv2.weight)
    torch.nn.init.zeros_(module.conv2.bias)
    # conv1 gives 2 + 0.5 = 2.5 at the lit pixel and 0.5 at the others. In a
    # 1x4 image the sums over 3 neighbours are 1 (a zero outside), 3.5, 3.5,
    # 3; channel 0 adds 0.25 and the input.
    x = torch.zeros(1, 2, 1, 4)
    x[0, 0, 0, 2] = 1.
    expected = torch.tensor([1.25, 3.75, 4.75, 3.25])
    torch.testing.assert_close(module(x)[0, 0, 0], expected)


def test_skip_is_a_plain_convolution_when_channels_change():
    module = Residual(2, 4, IDENTITY_NORM).eval()
    set_weight(module.conv3, [[0.] * 2] * 4, [0.] * 4)
    set_weight(module.skip, [[1., 0.], [0., 1.], [1., 1.], [0., 0.]],
               [0., 0., 0., 7.])
    assert module(PIXEL.clone()).flatten().tolist() == [1, -2, -1, 7]


def test_odd_width_is_refused():
    with pytest.raises(ValueError, match='7'):
        Residual(8, 7)
