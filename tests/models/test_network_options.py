"""Options of the network take effect everywhere, or are refused."""
import pytest
import torch
from mmengine.logging import MMLogger
from small_network import SMALL, image, small_network
from torch import nn

from hourglass_plugin.models.stacked_hourglass import StackedHourglass


@pytest.mark.parametrize('norm_cfg, layer', [
    (dict(type='GN', num_groups=2), nn.GroupNorm),
    (dict(type='SyncBN'), nn.SyncBatchNorm),
    (dict(type='IN', affine=True), nn.InstanceNorm2d),
])
def test_norm_layer_is_replaced_everywhere(norm_cfg, layer):

    def norms(network):
        return {
            name: type(module)
            for name, module in network.named_modules()
            if 'Norm' in type(module).__name__
        }

    expected = norms(small_network())
    # One in the stem, three in each residual module (three in the stem, and
    # 3 * 2 + 1 in an hourglass and one after it in 2 stacks), one per stack.
    assert len(expected) == 1 + 3 * (3 + 2 * 8) + 2
    assert norms(small_network(norm_cfg=norm_cfg)) == dict.fromkeys(
        expected, layer)


def test_norm_options_are_given_to_every_norm():
    network = small_network(
        norm_cfg=dict(type='BN', eps=0.25, requires_grad=False))
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {0.25}
    frozen = {
        name
        for name, parameter in network.named_parameters()
        if not parameter.requires_grad
    }
    assert frozen == {
        name
        for name, _ in network.named_parameters() if '.norm' in name
    }
    assert len(frozen) == 2 * len(norms)


@pytest.mark.parametrize('feat_channels, widths', [
    (256, (64, 128, 128, 256)),
    (128, (32, 64, 64, 128)),
])
def test_stem_is_scaled_with_the_features(feat_channels, widths):
    with torch.device('meta'):
        stem = StackedHourglass(1, feat_channels=feat_channels).stem
    assert (stem.conv.out_channels, stem.residual1.conv3.out_channels,
            stem.residual2.conv3.out_channels,
            stem.residual3.conv3.out_channels) == widths


@pytest.mark.parametrize('out_stacks, indices', [
    (None, [0, 1, 2]),
    ([0, 1, 2], [0, 1, 2]),
    ([2], [2]),
    ([-1], [2]),
    ((0, -1), [0, 2]),
    ([-2, -1], [1, 2]),
])
@pytest.mark.parametrize('num_keypoints', [5, None])
def test_out_stacks(out_stacks, indices, num_keypoints):
    options = dict(num_stacks=3, num_keypoints=num_keypoints)
    x = image(1, 3, 32, 32)
    everything = small_network(**options).eval()(x)
    chosen = small_network(out_stacks=out_stacks, **options).eval()(x)
    assert isinstance(chosen, tuple) and len(chosen) == len(indices)
    for output, index in zip(chosen, indices):
        assert torch.equal(output, everything[index])


def test_seed_decides_weights_and_outputs():
    networks = [small_network().eval() for _ in range(2)]
    x = image(1, 3, 32, 32)
    for first, second in zip(networks[0](x), networks[1](x)):
        assert torch.equal(first, second)
    torch.manual_seed(7)
    other = StackedHourglass(**SMALL).eval()
    assert not torch.equal(other(x)[0], networks[0](x)[0])


def test_weights_start_within_the_inverse_root_of_the_fan_in():
    torch.manual_seed(0)
    for name, module in StackedHourglass(**SMALL).named_modules():
        if isinstance(module, nn.Conv2d) and not name.endswith('.heatmaps'):
            bound = module.weight[0].numel()**-0.5
            # Of n uniform values the largest lies below 0.9 of the bound with
            # probability 0.9^n, so it is asked of the larger ones only.
            assert module.weight.abs().max() <= bound
            assert module.bias.abs().max() <= bound
            if module.weight.numel() > 200:
                assert module.weight.abs().max() > 0.9 * bound


def test_heatmaps_start_near_zero():
    torch.manual_seed(0)
    network = StackedHourglass(num_stacks=1, num_keypoints=16)
    heatmaps = network.stacks[0].heatmaps
    # 4096 normal values: their deviation is known to 1.1 % (one sigma).
    assert heatmaps.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert (heatmaps.bias == 0).all()


def test_channels_are_innermost_in_memory():
    network = small_network(feat_channels=32)
    layout = dict(memory_format=torch.channels_last)
    for name, parameter in network.named_parameters():
        if parameter.dim() == 4:
            assert parameter.is_contiguous(**layout), name
    for output in network(image(2, 3, 32, 48)):
        assert output.is_contiguous(**layout)
        assert not output.is_contiguous()


def test_input_layout_does_not_matter():
    network = small_network().eval()
    x = image(2, 3, 32, 48)
    expected = network(x)
    laid_out = x.contiguous(memory_format=torch.channels_last)
    for output, reference in zip(network(laid_out), expected):
        assert torch.equal(output, reference)


@pytest.mark.parametrize('options', [
    *({name: value}
      for name in ('num_stacks', 'num_blocks', 'feat_channels', 'depth',
                   'num_keypoints', 'in_channels') for value in (0, -1, 1.5)),
    dict(feat_channels=18),
    dict(num_blocks=[1, 2]),
    dict(feat_channels=(16, 16, 16, 16)),
    dict(feat_channels=(16, 18, 16)),
    dict(inner_heatmaps=2),
    dict(inner_heatmaps=-1),
    dict(inner_heatmaps=1.0),
    dict(inner_heatmaps=1, num_keypoints=None),
    dict(stem_channels=(64, 128)),
    dict(stem_channels=(0, 8, 8)),
    dict(stem_channels=64),
    dict(stem_channels=(8, 9, 8)),
    dict(out_stacks=-1),
    dict(out_stacks=[1.0]),
    dict(out_stacks=[]),
    dict(out_stacks=[0]),
    dict(out_stacks=[1, 0]),
    dict(out_stacks=[1, 1]),
    dict(out_stacks=[1, -1]),
    dict(out_stacks=[1, 2]),
    dict(out_stacks=[-3, 1]),
    dict(norm_cfg=dict(type='GN', num_groups=32)),
    dict(norm_cfg=dict(type='Nothing')),
], ids=str)
def test_bad_argument_is_refused(options):
    with pytest.raises(ValueError):
        small_network(**options)


def test_widths_of_each_resolution():
    network = small_network(
        feat_channels=(16, 24, 32), num_blocks=(1, 2, 3), inner_heatmaps=1)
    assert network.out_channels == 5
    hourglass = network.stacks[0].hourglass
    assert [block.conv3.out_channels
            for block in hourglass.inner.inner] == [32, 32, 32]
    # The heatmaps inside are predicted at the second resolution's width.
    assert network.stacks[0].inner_heatmaps[0].in_channels == 24
    shapes = [tuple(o.shape) for o in network(image(1, 3, 32, 48))]
    assert shapes == [(1, 5, 4, 6), (1, 5, 8, 12)] * 2


def test_unknown_size_is_refused():
    with pytest.raises(ValueError, match='hg3'):
        StackedHourglass.from_size('hg3')


def test_named_size_takes_other_arguments():
    network = StackedHourglass.from_size(
        'hg2x4', feat_channels=8, num_keypoints=3, depth=1)
    assert len(network.stacks) == 2
    assert [len(stack.residuals) for stack in network.stacks] == [4, 4]
    assert network.stacks[0].heatmaps.out_channels == 3
    assert network.depth == 1


def test_inner_heatmaps_come_from_the_smaller_hourglasses():
    network = small_network(depth=3, inner_heatmaps=2)
    x = image(1, 3, 64, 32)
    outputs = network(x)
    assert [tuple(output.shape[2:]) for output in outputs
            ] == [(4, 2), (8, 4), (16, 8)] * 2
    # The second route: hooks on the modules that the figure shows.
    seen = {}
    stack = network.stacks[0]
    stack.hourglass.up.register_forward_hook(
        lambda module, inputs, output: seen.update(input=inputs[0]))
    network(x)
    # The last one's resolution is half of the stack's.
    expected = stack.inner_heatmaps[-1](seen['input'])
    torch.testing.assert_close(network(x)[1], expected)
    # In evaluation they cost nothing and are not there.
    assert [tuple(output.shape[2:])
            for output in network.eval()(x)] == [(16, 8)] * 2


def test_inner_heatmaps_learn_and_leave_the_others_alone():
    plain = small_network(depth=3)
    network = small_network(depth=3, inner_heatmaps=1)
    missing, unexpected = network.load_state_dict(
        plain.state_dict(), strict=False)
    assert not unexpected and {name.split('.')[2]
                               for name in missing} == {'inner_heatmaps'}
    x = image(2, 3, 64, 64)
    for ours, theirs in zip(network(x)[1::2], plain(x)):
        torch.testing.assert_close(ours, theirs)
    network(x)[0].sum().backward()
    stack = network.stacks[0]
    assert stack.inner_heatmaps[0].weight.grad.abs().sum() > 0
    assert stack.hourglass.inner.up[0].conv3.weight.grad.abs().sum() > 0
    assert stack.hourglass.up[0].conv3.weight.grad is None


def test_the_outputs_inside_do_not_change_the_result():
    """``pyramid`` and ``forward`` compute the same numbers."""
    hourglass = small_network(depth=3).eval().stacks[0].hourglass
    x = image(1, 16, 16, 8)
    pyramid = hourglass.pyramid(x, 2)
    assert [tuple(y.shape[2:]) for y in pyramid] == [(4, 2), (8, 4), (16, 8)]
    assert torch.equal(pyramid[-1], hourglass(x))
    inner = hourglass.inner
    assert torch.equal(pyramid[1], inner(hourglass.down(hourglass.pool(x))))


def test_init_weights_logs_no_line_for_each_parameter(caplog, monkeypatch):
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handlers',
                        [caplog.handler])
    with caplog.at_level('DEBUG'):
        small_network().init_weights()
    assert caplog.records == []
