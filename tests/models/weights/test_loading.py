"""Weights of published ports, and ours, in a network."""
import pytest
import torch
from mmengine.registry import MODELS
from ports import port_of, randomised
from torch import nn

from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.weights.key_maps import read_arguments
from hourglass_plugin.models.weights.loading import (
    load_pretrained,
    load_weights,
)

SMALL = dict(
    num_stacks=2, num_blocks=1, feat_channels=16, depth=4, num_keypoints=5,
    inner_heatmaps=0, in_channels=3, stem_channels=(4, 8, 16))
GROUP_NORM = dict(norm_cfg=dict(type='GN', num_groups=2))


def network(seed=0, **arguments):
    torch.manual_seed(seed)
    return randomised(StackedHourglass(**{**SMALL, **arguments}), seed)


def without_none(weights):
    return {name: value for name, value in weights.items()
            if value is not None}


def pretrained(path, prefix=None, **arguments):
    """A network that starts from a file, and from seed 1 where that ends."""
    init_cfg = dict(type='Pretrained', checkpoint=str(path), prefix=prefix)
    torch.manual_seed(1)
    built = MODELS.build(dict(
        type='StackedHourglass', init_cfg=without_none(init_cfg),
        **{**SMALL, **arguments}))
    built.init_weights()
    return built


def equal_names(one, other):
    """Names of tensors that are equal in both."""
    other = other.state_dict()
    return {
        name for name, tensor in one.state_dict().items()
        if name in other and torch.equal(tensor, other[name])}


@pytest.fixture
def ports_file(tmp_path):
    path = tmp_path / 'port.pth.tar'
    weights = port_of(network())
    content = {f'module.{name}': weights[name] for name in weights}
    torch.save(dict(epoch=3, state_dict=content), path)
    return path


@pytest.mark.parametrize('arguments', [
    dict(),
    dict(num_blocks=2, depth=3, stem_channels=(8, 12, 16)),
    GROUP_NORM])
def test_weights_of_yangs_port(arguments):
    """By the names of the reference; test_conversion.py has outputs."""
    theirs, loaded = network(**arguments), network(seed=1, **arguments)
    load_pretrained(loaded, port_of(theirs))
    torch.testing.assert_close(
        loaded.state_dict(), theirs.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize('changes', [
    dict(),
    dict(num_keypoints=None, num_stacks=1, depth=1, num_blocks=(1, 2),
         feat_channels=(16, 24)),
    dict(inner_heatmaps=2, in_channels=4, num_blocks=3)])
def test_arguments_are_read_from_tensors(changes):
    weights = network(**changes).state_dict()
    assert read_arguments(weights) == {**SMALL, **changes}


PORT = port_of(network())


@pytest.mark.parametrize('weights, named', [
    # Other networks.
    ({}, ''),
    ({'lr': [1.0], 'epoch': 3}, 'epoch'),
    ({'layer4.weight': torch.zeros(1)}, 'layer4.weight'),
    ({'hourglass_modules.0.up4.0': torch.zeros(1)}, 'hourglass_modules.0'),
    ({'stem.conv.weight': torch.zeros(1),
      'stem.norm.weight': torch.zeros(1)}, 'stem.conv.weight'),
    ({'conv1.a': torch.zeros(1), 'module.conv1.a': torch.zeros(1)},
     'module.conv1.a'),
    (port_of(network(**GROUP_NORM)), 'GN'),
    # A tensor without a place, or a place without a tensor.
    ({**PORT, 'tail': torch.zeros(1)}, 'tail'),
    ({**PORT, 'res.0.7.bn1.weight': torch.zeros(16)}, 'res.0.7.bn1.weight'),
    ({**PORT, 'fc_.0.weight': torch.zeros(1, 1, 1, 1)},
     'fc_.0.weight (1, 1, 1, 1)'),
    ({**PORT, 'fc_.0.weight': [1.0]}, 'fc_.0.weight'),
    ({**PORT, 'score.1.bias': None}, 'stacks.1.heatmaps.bias'),
    ({**PORT, 'bn1.running_mean': None}, 'stem.norm.running_mean')])
def test_files_that_do_not_fit_are_refused(weights, named):
    built = network(seed=1)
    with pytest.raises(ValueError) as raised:
        load_pretrained(built, without_none(weights))
    assert named in str(raised.value)
    assert len(str(raised.value)) < 400  # long lists of names are cut
    assert equal_names(built, network(seed=1)) == set(built.state_dict())


def test_init_cfg_loads_a_ports_file(ports_file):
    built = pretrained(ports_file)
    assert equal_names(built, network()) == set(network().state_dict())
    with torch.no_grad():
        built.stem.conv.bias.fill_(7)
    built.init_weights()  # mmengine may call it again
    assert (built.stem.conv.bias == 7).all()


def test_init_cfg_for_other_keypoints(ports_file):
    for num_keypoints in (3, None):  # None as in a detector
        built = pretrained(ports_file, num_keypoints=num_keypoints)
        heatmaps = {name for name in built.state_dict() if 'heatmaps' in name}
        same = equal_names(built, network())
        assert same == set(built.state_dict()) - heatmaps
        torch.manual_seed(1)
        initial = StackedHourglass(**{**SMALL, 'num_keypoints': num_keypoints})
        assert equal_names(built, initial) >= heatmaps


def test_init_cfg_takes_the_backbone_of_our_checkpoints(tmp_path):
    path, weights = tmp_path / 'epoch_1.pth', network().state_dict()
    content = {f'backbone.{name}': weights[name] for name in weights}
    content['head.heatmaps.0.weight'] = torch.ones(1)
    torch.save(dict(state_dict=content), path)
    for prefix in (None, 'backbone.'):
        built = pretrained(path, prefix)
        assert equal_names(built, network()) == set(built.state_dict())
    with pytest.raises(ValueError) as raised:
        pretrained(path, 'neck')
    assert str(path) in str(raised.value) and 'neck' in str(raised.value)
    with pytest.raises(FileNotFoundError):
        pretrained(tmp_path / 'none.pth')


@pytest.mark.parametrize('changes', [
    dict(num_stacks=3), dict(stem_channels=(4, 8, 8)),
    dict(feat_channels=8, num_keypoints=3)])
def test_init_cfg_of_another_network_is_refused(changes, ports_file):
    with pytest.raises(ValueError) as raised:
        pretrained(ports_file, **changes)
    name, value = next(iter(changes.items()))
    assert str(ports_file) in str(raised.value)
    assert f'{name}={SMALL[name]}' in str(raised.value)
    assert f'{name}={value}' in str(raised.value)


@pytest.mark.parametrize('num_keypoints', [5, None])
def test_fewer_stacks_are_the_first_ones(num_keypoints, tmp_path):
    torch.save(network().state_dict(), tmp_path / 'two.pth')
    built = pretrained(
        tmp_path / 'two.pth', num_stacks=1, num_keypoints=num_keypoints)
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64)
        first = built.eval()(image)[0]
        if num_keypoints is None:
            assert first.shape == (1, 16, 16, 16)
            assert equal_names(built, network()) == set(built.state_dict())
        else:
            assert torch.equal(first, network().eval()(image)[0])


def test_load_weights_of_a_whole_model():
    source = nn.BatchNorm1d(3)
    nn.init.uniform_(source.weight)
    weights = source.state_dict()
    del weights['num_batches_tracked']  # PyTorch before 0.4.1 wrote none
    in_parallel = {f'module.{name}': weights[name] for name in weights}
    for content in (weights, dict(state_dict=weights), in_parallel):
        target = nn.BatchNorm1d(3)
        load_weights(target, content, 'a.pth')
        assert torch.equal(target.weight, source.weight)


@pytest.mark.parametrize('change', [
    {'bias': None},
    {'more': torch.zeros(1)},
    {'weight': torch.zeros(3, 1)},
    {'weight': torch.full((3, 2), float('nan'))},
    {'bias': torch.tensor([0, 0, float('inf')])}])
def test_load_weights_refuses_other_and_broken_ones(change):
    model = nn.Linear(2, 3)
    before = model.weight.clone()
    weights = without_none({**nn.Linear(2, 3).state_dict(), **change})
    with pytest.raises(ValueError) as raised:
        load_weights(model, weights, 'a.pth')
    assert str(raised.value).startswith('a.pth')
    assert next(iter(change)) in str(raised.value)
    assert torch.equal(model.weight, before)
