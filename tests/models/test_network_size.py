"""Weights and multiply-adds of the named sizes, counted by hand.

A k x k convolution from a to b channels has a * b * k * k + b weights and, at
P output pixels, a * b * k * k * P multiply-adds; a norm has 2 weights for
each channel.
"""
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hourglass_plugin.models.stacked_hourglass import SIZES, StackedHourglass

# The published PyTorch port's widths after the stem's convolution and its
# first two residual modules.
PORT_STEM = (64, 128, 256)


def conv_weights(inputs, outputs, kernel=1):
    return inputs * outputs * kernel**2 + outputs


def residual_weights(inputs, outputs):
    middle = outputs // 2
    norms = 2 * (inputs + middle + middle)
    skip = conv_weights(inputs, outputs) if inputs != outputs else 0
    return (norms + conv_weights(inputs, middle) +
            conv_weights(middle, middle, 3) + conv_weights(middle, outputs) +
            skip)


def network_weights(stacks, blocks, stem=(64, 128, 128), c=256, k=16):
    """Depth 4: 3 * 4 + 1 places in an hourglass and one after it."""
    total = conv_weights(3, stem[0], 7) + 2 * stem[0]
    for inputs, outputs in zip(stem, (*stem[1:], c)):
        total += residual_weights(inputs, outputs)
    stack = 14 * blocks * residual_weights(c, c)
    stack += conv_weights(c, c) + 2 * c + conv_weights(c, k)
    merge = conv_weights(c, c) + conv_weights(k, c)
    return total + stacks * stack + (stacks - 1) * merge


def multiply_adds(stacks, blocks, stem=(64, 128, 128), c=256, k=16):
    """At depth 4 for an image of 256x256 pixels."""

    def residual(inputs, outputs, side):
        middle = outputs // 2
        skip = inputs * outputs if inputs != outputs else 0
        return (inputs * middle + 9 * middle**2 + middle * outputs +
                skip) * side**2

    total = 3 * stem[0] * 7 * 7 * 128**2
    total += residual(stem[0], stem[1], 128)
    total += residual(stem[1], stem[2], 64) + residual(stem[2], c, 64)
    # Skips at 64, 32, 16 and 8 pixels, before and after the inner hourglass
    # at 32, 16, 8 and 4, the innermost at 4, one after the hourglass at 64.
    sides = [64, 32, 16, 8] + 2 * [32, 16, 8, 4] + [4] + [64]
    stack = blocks * sum(residual(c, c, side) for side in sides)
    stack += (c * c + c * k) * 64**2
    merge = (c * c + k * c) * 64**2
    return total + stacks * stack + (stacks - 1) * merge


def count_weights(network):
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


@pytest.mark.parametrize('name', SIZES)
def test_weight_counts_of_named_sizes(name):
    with torch.device('meta'):  # shapes only
        network = StackedHourglass.from_size(name, num_keypoints=16)
    size = SIZES[name]
    assert network.num_stacks == size.num_stacks
    assert count_weights(network) == size.num_weights
    assert size.num_weights == network_weights(size.num_stacks,
                                               size.num_blocks)


def test_weight_count_of_hg1_by_hand():
    # Stem: 7x7 convolution and norm 9472 + 128, residual modules 58112,
    # 54016 and 230912; 14 residual modules of 214528; 1x1 convolution and
    # norm 65792 + 512; heatmaps 4112.
    by_hand = (9472 + 128 + 58112 + 54016 + 230912 + 14 * 214528 + 65792 +
               512 + 4112)
    assert SIZES['hg1'].num_weights == by_hand == 3_426_448


def test_named_sizes_of_the_ablation_have_equally_many_residual_modules():
    # Stacks x residual modules at each place: 8 in all four.
    ablation = ['hg8', 'hg1x8', 'hg2x4', 'hg4x2']
    assert {
        SIZES[name].num_stacks * SIZES[name].num_blocks
        for name in ablation
    } == {8}


@pytest.mark.parametrize(
    'name, published_weights, published_multiply_adds',
    # In millions and in thousand millions, of the PyTorch port.
    [('hg1', 3.6, 5.8), ('hg2', 6.7, 9.0), ('hg8', 25.6, 28.1)])
def test_published_size_with_the_ports_stem(name, published_weights,
                                            published_multiply_adds):
    size = SIZES[name]
    with torch.device('meta'):
        network = StackedHourglass.from_size(
            name, num_keypoints=16, stem_channels=PORT_STEM).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 256, 256))
    weights = count_weights(network)
    assert weights == network_weights(
        size.num_stacks, size.num_blocks, stem=PORT_STEM)
    assert round(weights / 1e6, 1) == published_weights
    # The counter counts a multiply-add as two operations.
    counted = counter.get_total_flops() / 2
    assert counted == multiply_adds(
        size.num_stacks, size.num_blocks, stem=PORT_STEM)
    assert round(counted / 1e9, 1) == published_multiply_adds


@pytest.mark.parametrize('name', ['hg1', 'hg2', 'hg4x2'])
def test_multiply_adds(name):
    size = SIZES[name]
    with torch.device('meta'):
        network = StackedHourglass.from_size(name, num_keypoints=16).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 256, 256))
    assert counter.get_total_flops() / 2 == multiply_adds(
        size.num_stacks, size.num_blocks)
