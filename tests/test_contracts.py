"""Contracts with files outside of the package: these never change."""
import hashlib

import pytest
import torch

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
