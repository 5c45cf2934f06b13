"""``init_cfg=dict(type='Pretrained', ...)`` takes ports' files and ours."""
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import MODELS
from reference_network import reference_name

from hourglass_plugin.models import StackedHourglass

SMALL = dict(num_stacks=2, feat_channels=16, stem_channels=(4, 8, 16))


def network(seed=0, **arguments):
    torch.manual_seed(seed)
    return StackedHourglass(**{**SMALL, 'num_keypoints': 5, **arguments})


def pretrained(path, **arguments):
    """A network that starts from a file, and from seed 1 where that ends."""
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    if 'prefix' in arguments:
        init_cfg['prefix'] = arguments.pop('prefix')
    torch.manual_seed(1)
    built = MODELS.build(
        dict(
            type='StackedHourglass',
            init_cfg=init_cfg,
            **{**SMALL, 'num_keypoints': 5, **arguments}))
    built.init_weights()
    return built


def same(one, other):
    """Names of tensors that are equal in both."""
    other = other.state_dict()
    return {
        name for name, tensor in one.state_dict().items()
        if name in other and tensor.shape == other[name].shape
        and torch.equal(tensor, other[name])
    }


def about_keypoints(names):
    return {name for name in names if 'heatmaps' in name}


@pytest.fixture(autouse=True)
def quiet():
    """mmengine prints the initialisation of every weight otherwise."""
    MMLogger.get_instance('pretrained').setLevel('WARNING')


@pytest.fixture
def log(monkeypatch):
    """What is said while weights are initialised."""
    said = []
    monkeypatch.setattr(
        'hourglass_plugin.models.stacked_hourglass.print_log',
        lambda message, logger: said.append(message))
    return said


@pytest.fixture
def ports_file(tmp_path):
    path = tmp_path / 'port.pth.tar'
    torch.save(
        dict(
            state_dict={
                f'module.{reference_name(name, 4)}': tensor
                for name, tensor in network().state_dict().items()
            }), path)
    return path


def test_a_ports_file_is_loaded_whole(ports_file, log):
    built = pretrained(ports_file)
    assert same(built, network()) == set(network().state_dict())
    assert log == [
        f"{ports_file}: {len(network().state_dict())} tensors of "
        "W. Yang's port were loaded"
    ]


def test_other_keypoints_start_anew_and_say_so(ports_file, log):
    built = pretrained(ports_file, num_keypoints=3)
    names = set(network().state_dict())
    assert same(built, network()) == names - about_keypoints(names)
    # What starts anew is what the network had, with its own seed.
    assert about_keypoints(same(built, network(1, num_keypoints=3))) == (
        about_keypoints(names))
    assert 'for 5 keypoints, the network is for 3: 6 tensors start anew' in (
        log[1])
    assert 'stacks.0.merge_heatmaps.weight' in log[1]


def test_a_detectors_backbone_leaves_heatmaps_out(ports_file, log):
    built = pretrained(ports_file, num_keypoints=None)
    assert same(built, network()) == set(built.state_dict())
    assert log[1].endswith('for 5 keypoints, the network is for none: what '
                           'knows keypoints was left out')


def test_our_own_checkpoints_backbone(tmp_path, log):
    weights = {
        f'backbone.{name}': tensor
        for name, tensor in network().state_dict().items()
    }
    path = tmp_path / 'epoch_1.pth'
    torch.save(
        dict(state_dict={**weights, 'head.heatmaps.0.weight': torch.ones(1)}),
        path)
    whole = set(network().state_dict())
    assert same(pretrained(path), network()) == whole
    assert same(pretrained(path, prefix='backbone.'), network()) == whole
    with pytest.raises(ValueError, match="epoch_1.pth: no weights have the"):
        pretrained(path, prefix='neck')


def test_weights_are_not_loaded_twice(ports_file, log):
    """A model is initialised once, however often mmengine asks."""
    built = pretrained(ports_file)
    with torch.no_grad():
        built.stem.conv.bias.fill_(7)
    built.init_weights()
    assert (built.stem.conv.bias == 7).all() and len(log) == 1


def test_networks_that_differ_are_refused(ports_file, tmp_path):
    with pytest.raises(
            ValueError,
            match=r'port.pth.tar: the weights are of a network with '
            r'num_stacks=2; this one has num_stacks=1$'):
        pretrained(ports_file, num_stacks=1)
    with pytest.raises(
            ValueError,
            match=r'with stem_channels=\(4, 8, 16\); this one has '
            r'stem_channels=\(4, 8, 8\)'):
        pretrained(ports_file, stem_channels=(4, 8, 8))
    weights = network(norm_cfg=dict(type='GN', num_groups=2))
    torch.save(weights.state_dict(), tmp_path / 'group_norm.pth')
    with pytest.raises(ValueError, match='missing: .*running_mean'):
        pretrained(tmp_path / 'group_norm.pth')
    with pytest.raises(FileNotFoundError, match='there is no checkpoint'):
        pretrained(tmp_path / 'none.pth')


def test_other_norms_go_by_their_own_names(tmp_path):
    norm_cfg = dict(type='GN', num_groups=2)
    torch.save(network(norm_cfg=norm_cfg).state_dict(), tmp_path / 'ours.pth')
    built = pretrained(tmp_path / 'ours.pth', norm_cfg=norm_cfg)
    assert same(built, network(norm_cfg=norm_cfg)) == set(built.state_dict())
