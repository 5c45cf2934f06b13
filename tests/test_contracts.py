"""Contracts with files and users outside of the package: these never change.

Each number was taken from the package before its rooms were laid out anew;
heatmaps and keypoints also follow by hand from the formula beside them.
"""
import hashlib

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import KEYPOINT_CODECS, MODELS

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.weights import shipped_weights


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


def test_output_is_a_tuple_of_one_tensor_per_stack():
    network = StackedHourglass(
        num_stacks=3, feat_channels=8, num_keypoints=5).eval()
    with torch.no_grad():
        outputs = network(torch.rand(2, 3, 64, 128))
    assert isinstance(outputs, tuple)
    assert [tuple(x.shape) for x in outputs] == [(2, 5, 16, 32)] * 3


# 0-based pixels of the input, at 4 pixels per cell.
KEYPOINTS = np.array([[10, 20], [127.9, 128.1], [255, 3]], np.float64)


def encode(**settings):
    codec = KEYPOINT_CODECS.build(
        dict(
            type='MPIIHeatmap',
            input_size=(256, 256),
            heatmap_size=(64, 64),
            **settings))
    keypoints = np.resize(KEYPOINTS, (1, 16, 2))
    heatmaps = codec.encode(keypoints, np.ones((1, 16)))['heatmaps']
    return codec, np.asarray(heatmaps)


def test_heatmaps_peak_in_the_truncated_cell():
    _, heatmaps = encode()
    assert heatmaps.shape == (16, 64, 64) and heatmaps.dtype == np.float32
    peaks = [np.unravel_index(x.argmax(), x.shape) for x in heatmaps[:3]]
    assert peaks == [(5, 2), (32, 31), (0, 63)]  # floor of y / 4, x / 4
    # exp(-d^2 / 2) of the squared distance d^2 to the cell (2, 5).
    assert heatmaps[0, 4:7, 1:4] == pytest.approx(
        np.exp(-np.array([[2, 1, 2], [1, 0, 1], [2, 1, 2]]) / 2), abs=1e-7)


@pytest.mark.parametrize('settings, expected', [
    # A quarter cell, one pixel, towards the higher neighbour; a tie moves by
    # plus, as the image's border does (paper's code).
    ({}, [[11, 22], [127, 130], [254, 2]]),
    (dict(refinement='subpixel'),
     [[9.776842, 21.5], [125.776840, 129.5], [253.697647, 1.5]]),
])
def test_decoded_keypoints(settings, expected):
    codec, _ = encode(**settings)
    _, heatmaps = encode()
    shifted = heatmaps + 0.1 * np.roll(heatmaps, 1, axis=2)
    keypoints, scores = codec.decode(shifted)
    assert keypoints[0, :3] == pytest.approx(np.array(expected), abs=1e-4)
    assert scores[0, :3] == pytest.approx(1 + 0.1 * np.exp(-0.5), abs=1e-6)


def test_shipped_weights_load_into_their_config():
    shipped = shipped_weights()
    config = Config.fromfile(shipped.config)
    state = torch.load(shipped.checkpoint, weights_only=True)['state_dict']
    init_default_scope('mmpose')
    model = MODELS.build(config.model)
    model.load_state_dict({name: x.float() for name, x in state.items()})
