"""Weights and multiply-adds of the named sizes, counted by hand.

A k x k convolution from a to b channels has a * b * k * k + b weights and, at
P output pixels, a * b * k * k * P multiply-adds; a norm has 2 weights for
each channel.
"""
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hourglass_plugin.models.stacked_hourglass import SIZES, StackedHourglass

# The paper's widths after the stem's convolution and its first two residual
# modules, and the published PyTorch port's.
PAPER_STEM = (64, 128, 128)
PORT_STEM = (64, 128, 256)


def residual(inputs, outputs):
    """Weights, and multiply-adds for each pixel."""
    middle = outputs // 2
    kernels = inputs * middle + 9 * middle**2 + middle * outputs
    biases = 2 * middle + outputs
    if inputs != outputs:
        kernels += inputs * outputs
        biases += outputs
    return kernels + biases + 2 * (inputs + 2 * middle), kernels


def count_by_hand(stacks, blocks, stem, width=256, keypoints=16):
    """Weights, and multiply-adds for 256x256 pixels, at depth 4."""
    first = 3 * stem[0] * 7 * 7
    weights, multiply_adds = first + 3 * stem[0], first * 128**2
    for inputs, outputs, side in zip(stem, (*stem[1:], width), (128, 64, 64)):
        counted, for_each_pixel = residual(inputs, outputs)
        weights += counted
        multiply_adds += for_each_pixel * side**2
    counted, for_each_pixel = residual(width, width)
    # Skips at 64, 32, 16 and 8 pixels, before and after the inner hourglass
    # at 32, 16, 8 and 4, the innermost at 4, one after the hourglass at 64.
    sides = [64, 32, 16, 8] + 2 * [32, 16, 8, 4] + [4] + [64]
    weights += stacks * len(sides) * blocks * counted
    multiply_adds += stacks * blocks * for_each_pixel * sum(
        side**2 for side in sides)
    # Features and their norm, heatmaps; both are merged between stacks.
    kernels = (2 * stacks - 1) * width * (width + keypoints)
    weights += kernels + stacks * (3 * width + keypoints)
    weights += (stacks - 1) * 2 * width
    return weights, multiply_adds + kernels * 64**2


@pytest.mark.parametrize('name, stem, published', [
    *((name, PAPER_STEM, None) for name in SIZES),
    # In millions and in thousand millions.
    ('hg1', PORT_STEM, (3.6, 5.8)),
    ('hg2', PORT_STEM, (6.7, 9.0)),
    ('hg8', PORT_STEM, (25.6, 28.1))])
def test_weights_and_multiply_adds(name, stem, published):
    arguments = {} if stem == PAPER_STEM else dict(stem_channels=stem)
    with torch.device('meta'):  # shapes only
        network = StackedHourglass.from_size(
            name, num_keypoints=16, **arguments).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, 256, 256))
    weights = sum(p.numel() for p in network.parameters())
    # The counter counts a multiply-add as two operations.
    adds = counter.get_total_flops() / 2
    assert (weights, adds) == count_by_hand(*SIZES[name], stem)
    assert published in (None, (round(weights / 1e6, 1), round(adds / 1e9, 1)))
