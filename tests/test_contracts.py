"""Contracts with files and users outside of the package: these never change.

Each number was taken from the package before its rooms were laid out anew;
heatmaps and keypoints also follow by hand from the formula beside them.
"""
import hashlib

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from hourglass_plugin.models import StackedHourglass


# Trained checkpoints fit as long as names and shapes of tensors stay.
@pytest.mark.parametrize('arguments, count, digest', [
    (dict(num_stacks=1, num_keypoints=16), 377, '151c226a9cf7f67d'),
    (dict(num_stacks=2, num_keypoints=16), 684, '9429d384c7ba372d'),
    (dict(num_stacks=8, num_keypoints=16), 2526, '6812ef23747cc58c'),
    (dict(num_stacks=2, num_blocks=4, num_keypoints=16), 2448,
     '5b82e0d1ceb98ea5'),
    (dict(num_stacks=2), 678, 'cebffea1d5e403ec'),
    (dict(num_stacks=2, num_keypoints=16, inner_heatmaps=2), 692,
     '8b499e31aed96ea9'),
])
def test_state_dict_names_and_shapes(arguments, count, digest):
    with torch.device('meta'):
        state = StackedHourglass(**arguments).state_dict()
    lines = sorted(f'{name} {tuple(tensor.shape)}'
                   for name, tensor in state.items())
    found = hashlib.sha256('\n'.join(lines).encode()).hexdigest()[:16]
    assert (len(lines), found) == (count, digest)


@pytest.mark.parametrize('settings, expected', [
    # A quarter cell, one pixel, towards the higher neighbour; a tie moves by
    # plus, as the image's border does (paper's code).
    ({}, [[11, 22], [127, 130], [254, 2]]),
    (dict(refinement='subpixel'),
     [[9.776842, 21.5], [125.776840, 129.5], [253.697647, 1.5]]),
])
def test_decoded_keypoints(settings, expected):
    codec, drawing = (
        KEYPOINT_CODECS.build(
            dict(
                type='MPIIHeatmap',
                input_size=(256, 256),
                heatmap_size=(64, 64),
                **options)) for options in (settings, {}))
    # 0-based pixels of the input, at 4 pixels per cell.
    keypoints = np.array([[10, 20], [127.9, 128.1], [255, 3]])
    heatmaps = drawing.encode(np.resize(keypoints, (1, 16, 2)))['heatmaps']
    assert heatmaps.shape == (16, 64, 64) and heatmaps.dtype == np.float32
    peaks = [np.unravel_index(x.argmax(), x.shape) for x in heatmaps[:3]]
    assert peaks == [(5, 2), (32, 31), (0, 63)]  # floor of y / 4, x / 4
    shifted = heatmaps + 0.1 * np.roll(heatmaps, 1, axis=2)
    keypoints, scores = codec.decode(shifted)
    assert keypoints[0, :3] == pytest.approx(np.array(expected), abs=1e-4)
    assert scores[0, :3] == pytest.approx(1 + 0.1 * np.exp(-0.5), abs=1e-6)
