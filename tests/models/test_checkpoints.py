"""Weights of the published layouts give the same outputs under our names."""
import logging

import pytest
import torch
from princeton_network import PrincetonNetwork
from reference_network import reference_name, reference_network

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.weights.state_dicts import (
    convert_state_dict,
    read_arguments,
)

ARGUMENTS = dict(
    num_stacks=2,
    num_blocks=2,
    feat_channels=16,
    depth=3,
    num_keypoints=5,
    inner_heatmaps=0,
    in_channels=3,
    stem_channels=(8, 12, 16),
    form='newell')


def randomised(network):
    """Weights and statistics that make every tensor matter."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator)
                tensor.copy_(0.2 * noise + ('norm' in name or 'bn' in name))
                if name.endswith('running_var'):
                    tensor.abs_()
    return network.eval()


def yang_weights(**changes):
    network = randomised(StackedHourglass(**dict(ARGUMENTS, **changes)))
    return {
        reference_name(name, network.depth): tensor
        for name, tensor in network.state_dict().items()
    }


def convert_and_build(weights):
    converted = convert_state_dict(weights)
    network = StackedHourglass(**read_arguments(converted))
    network.load_state_dict(converted, strict=True)
    return network.eval()


def test_yangs_layout_gives_the_same_outputs():
    weights = yang_weights()
    image = torch.rand(1, 3, 64, 96, generator=torch.manual_seed(1))
    expected = reference_network(weights, image, 2, 2, 3)
    network = convert_and_build(weights)
    with torch.no_grad():
        outputs = network(image)
    for ours, theirs in zip(outputs, expected):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('wrap', [
    lambda weights: {'state_dict': weights, 'epoch': 3},
    lambda weights: {f'module.{name}': tensor
                     for name, tensor in weights.items()},
    lambda weights: {'state_dict': {f'model.module.{name}': tensor
                                    for name, tensor in weights.items()}},
])
def test_wrappers_and_prefixes_come_off(wrap):
    weights = yang_weights()
    converted = convert_state_dict(wrap(weights))
    assert set(converted) == set(convert_state_dict(weights))


def test_arguments_are_read_from_the_tensors():
    assert read_arguments(convert_state_dict(yang_weights())) == ARGUMENTS
    changes = dict(num_keypoints=None, num_stacks=1, depth=1,
                   num_blocks=(1, 2), feat_channels=(16, 24))
    assert read_arguments(convert_state_dict(
        yang_weights(**changes))) == dict(ARGUMENTS, **changes)


def test_princetons_layout_gives_the_same_outputs(caplog):
    theirs = randomised(PrincetonNetwork())
    weights = {
        f'model.module.{name}': tensor
        for name, tensor in theirs.state_dict().items()
    }
    with caplog.at_level(logging.INFO, 'hourglass_plugin'):
        network = convert_and_build(dict(state_dict=weights))
    image = torch.rand(1, 3, 64, 64, generator=torch.manual_seed(1))
    with torch.no_grad():
        for ours, expected in zip(network(image), theirs(image)):
            torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    # 13 residuals an hourglass, 1 after it, and the stem's second keep their
    # channels: weight and bias of 2 * 14 + 1 unused skip layers.
    assert f'dropped {2 * (2 * 14 + 1)} tensors' in caplog.text
    assert 'pre.3.skip_layer.conv.weight' in caplog.text


def test_our_own_layout_stays():
    weights = randomised(StackedHourglass(**ARGUMENTS)).state_dict()
    assert list(convert_state_dict(weights)) == list(weights)


def test_old_files_without_counts_of_batches():
    weights = {
        name: tensor
        for name, tensor in yang_weights().items()
        if 'num_batches_tracked' not in name
    }
    converted = convert_state_dict(weights)
    assert converted['stem.norm.num_batches_tracked'] == 0


def test_every_tensor_is_accounted_for():
    weights = yang_weights()
    with pytest.raises(ValueError, match='1 of the weights are unknown.*tail'):
        convert_state_dict(dict(weights, tail=torch.zeros(1)))
    with pytest.raises(
            ValueError,
            match=r'left over: res.0.7.bn1.weight \(here stacks.0.residuals'):
        convert_state_dict(
            dict(weights, **{'res.0.7.bn1.weight': torch.zeros(1)}))
    with pytest.raises(
            ValueError, match=r'shape: fc_.0.weight \(.*\(1, 1, 1, 1\) for'):
        convert_state_dict(
            dict(weights, **{'fc_.0.weight': torch.zeros(1, 1, 1, 1)}))
    del weights['score.1.bias']
    with pytest.raises(
            ValueError, match=r'missing: score.1.bias \(here stacks'):
        convert_state_dict(weights)
    with pytest.raises(ValueError, match='no tensors: fc_.0.weight'):
        convert_state_dict(dict(weights, **{'fc_.0.weight': [1.0]}))
    with pytest.raises(ValueError, match='no weights in it, but epoch, lr'):
        convert_state_dict({'lr': [1.0], 'epoch': 3})


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="unknown to OpenMMLab's Hourglass"):
        convert_state_dict({'hourglass_modules.0.up4.0': torch.zeros(1)})
    with pytest.raises(ValueError, match='layout of the weights is unknown'):
        convert_state_dict({'layer4.weight': torch.zeros(1)})
