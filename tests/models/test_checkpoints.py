"""Weights of the published layouts give the same outputs under our names."""
import logging

import pytest
import torch
import torch.nn.functional as F
from reference_network import reference_name, reference_network
from torch import nn

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.checkpoints import (convert_state_dict,
                                                 read_arguments)

ARGUMENTS = dict(
    num_stacks=2,
    num_blocks=2,
    feat_channels=16,
    depth=3,
    num_keypoints=5,
    inner_heatmaps=0,
    in_channels=3,
    stem_channels=(8, 12, 16))


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
    changes = dict(num_keypoints=None, num_stacks=1, depth=1, num_blocks=1)
    assert read_arguments(convert_state_dict(
        yang_weights(**changes))) == dict(ARGUMENTS, **changes)


class PrincetonConv(nn.Module):

    def __init__(self, in_channels, out_channels, size=3, stride=1, bn=False,
                 relu=True):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, size, stride,
                              (size - 1) // 2)
        self.bn = nn.BatchNorm2d(out_channels) if bn else nn.Identity()
        self.relu = relu

    def forward(self, x):
        x = self.bn(self.conv(x))
        return x.relu() if self.relu else x


class PrincetonResidual(nn.Module):
    """With the skip layer that is there even where nothing uses it."""

    def __init__(self, before, after):
        super().__init__()
        half = after // 2
        for step, (i, o, size) in enumerate(
            ((before, half, 1), (half, half, 3), (half, after, 1)), 1):
            setattr(self, f'bn{step}', nn.BatchNorm2d(i))
            setattr(self, f'conv{step}', PrincetonConv(i, o, size, relu=False))
        self.skip_layer = PrincetonConv(before, after, 1, relu=False)
        self.uses_skip = before != after

    def forward(self, x):
        y = x
        for step in '123':
            y = getattr(self, f'conv{step}')(getattr(self,
                                                     f'bn{step}')(y).relu())
        return y + (self.skip_layer(x) if self.uses_skip else x)


class PrincetonHourglass(nn.Module):

    def __init__(self, depth, channels):
        super().__init__()
        self.up1 = PrincetonResidual(channels, channels)
        self.low1 = PrincetonResidual(channels, channels)
        self.low2 = (PrincetonHourglass if depth > 1 else
                     lambda _, c: PrincetonResidual(c, c))(depth - 1, channels)
        self.low3 = PrincetonResidual(channels, channels)

    def forward(self, x):
        low = self.low3(self.low2(self.low1(F.max_pool2d(x, 2))))
        return self.up1(x) + F.interpolate(low, scale_factor=2.0)


class PrincetonMerge(nn.Module):

    def __init__(self, before, after):
        super().__init__()
        self.conv = PrincetonConv(before, after, 1, relu=False)

    def forward(self, x):
        return self.conv(x)


class PrincetonNetwork(nn.Module):
    """The layout of Princeton's port, small; written from its names."""

    def __init__(self, stacks=2, channels=16, keypoints=5, depth=4):
        super().__init__()
        self.stacks = stacks
        self.pre = nn.Sequential(
            PrincetonConv(3, 8, 7, 2, bn=True), PrincetonResidual(8, 12),
            nn.MaxPool2d(2), PrincetonResidual(12, 12),
            PrincetonResidual(12, channels))
        self.hgs = nn.ModuleList(
            nn.Sequential(PrincetonHourglass(depth, channels))
            for _ in range(stacks))
        self.features = nn.ModuleList(
            nn.Sequential(
                PrincetonResidual(channels, channels),
                PrincetonConv(channels, channels, 1, bn=True))
            for _ in range(stacks))
        self.outs = nn.ModuleList(
            PrincetonConv(channels, keypoints, 1, relu=False)
            for _ in range(stacks))
        self.merge_features = nn.ModuleList(
            PrincetonMerge(channels, channels) for _ in range(stacks - 1))
        self.merge_preds = nn.ModuleList(
            PrincetonMerge(keypoints, channels) for _ in range(stacks - 1))

    def forward(self, x):
        x = self.pre(x)
        predictions = []
        for i in range(self.stacks):
            features = self.features[i](self.hgs[i](x))
            predictions.append(self.outs[i](features))
            if i < self.stacks - 1:
                x = x + self.merge_preds[i](
                    predictions[-1]) + self.merge_features[i](features)
        return predictions


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
    assert 'stem.residual2.skip.weight' in caplog.text


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
    with pytest.raises(ValueError, match='left over: stacks.0.residuals.7'):
        convert_state_dict(
            dict(weights, **{'res.0.7.bn1.weight': torch.zeros(1)}))
    with pytest.raises(ValueError, match='shape: .*merge_features.weight'):
        convert_state_dict(
            dict(weights, **{'fc_.0.weight': torch.zeros(1, 1, 1, 1)}))
    del weights['score.1.bias']
    with pytest.raises(ValueError, match='missing: stacks.1.heatmaps.bias'):
        convert_state_dict(weights)
    with pytest.raises(ValueError, match='no tensors: conv1.weight'):
        convert_state_dict({'conv1.weight': [1.0]})


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match='another network'):
        convert_state_dict({'hourglass_modules.0.up1.0': torch.zeros(1)})
    with pytest.raises(ValueError, match='layout of the weights is unknown'):
        convert_state_dict({'layer4.weight': torch.zeros(1)})
