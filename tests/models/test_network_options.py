"""Options of the network take effect everywhere, or are refused."""
import pytest
import torch
from mmengine.logging import MMLogger
from small_network import SMALL, image, small_network
from torch import nn

from hourglass_plugin.models.stacked_hourglass import StackedHourglass


@pytest.mark.parametrize('norm_cfg, layer', [
    (dict(type='BN', eps=0.25), nn.BatchNorm2d),
    (dict(type='GN', num_groups=2, eps=0.25), nn.GroupNorm),
    (dict(type='SyncBN', eps=0.25), nn.SyncBatchNorm)])
def test_norms_everywhere_are_of_the_config(norm_cfg, layer):
    network = small_network(norm_cfg=dict(norm_cfg, requires_grad=False))
    norms = [(type(module), module.eps) for module in network.modules()
             if 'Norm' in type(module).__name__]
    # One in the stem, three in each residual module (three in the stem, and
    # 3 * 2 + 1 in an hourglass and one after it in 2 stacks), one per stack.
    assert norms == [(layer, 0.25)] * (1 + 3 * (3 + 2 * 8) + 2)
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad == ('.norm' not in name), name


@pytest.mark.parametrize('out_stacks, indices', [
    (None, [0, 1, 2]), ([-1], [2]), ((0, -1), [0, 2]), ([-2, 2], [1, 2])])
@pytest.mark.parametrize('num_keypoints', [5, None])
def test_out_stacks(out_stacks, indices, num_keypoints):
    options = dict(num_stacks=3, num_keypoints=num_keypoints)
    x = image(1, 3, 32, 32)
    everything = small_network(**options).eval()(x)
    chosen = small_network(out_stacks=out_stacks, **options).eval()(x)
    assert isinstance(chosen, tuple) and len(chosen) == len(indices)
    for output, index in zip(chosen, indices):
        assert torch.equal(output, everything[index])


def test_weights_start_as_torch7s_and_heatmaps_near_zero():
    torch.manual_seed(0)
    for name, module in StackedHourglass(**SMALL).named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if name.endswith('.heatmaps'):
            # 80 normal values: five standard errors of 1 / sqrt(160).
            assert module.weight.std().item() == pytest.approx(1e-3, rel=0.4)
            assert (module.bias == 0).all()
            continue
        bound = module.weight[0].numel()**-0.5
        assert module.weight.abs().max() <= bound
        assert module.bias.abs().max() <= bound
        # Of n uniform values the largest lies below 0.9 of the bound with
        # probability 0.9^n, so it is asked of the larger ones only.
        if module.weight.numel() > 200:
            assert module.weight.abs().max() > 0.9 * bound


def test_channels_are_innermost_in_memory_whatever_the_input():
    network = small_network(feat_channels=32).eval()
    layout = dict(memory_format=torch.channels_last)
    for name, parameter in network.named_parameters():
        if parameter.dim() == 4:
            assert parameter.is_contiguous(**layout), name
    x = image(2, 3, 32, 48)
    for output, same in zip(network(x), network(x.contiguous(**layout))):
        assert output.is_contiguous(**layout)
        assert not output.is_contiguous()
        assert torch.equal(output, same)


@pytest.mark.parametrize('options', [
    *({name: value}
      for name in ('num_stacks', 'num_blocks', 'feat_channels', 'depth',
                   'num_keypoints', 'in_channels') for value in (0, 1.5)),
    dict(feat_channels=18),
    dict(num_blocks=[1, 2]),
    dict(feat_channels=(16, 16, 16, 16)),
    dict(feat_channels=(16, 18, 16)),
    *(dict(inner_heatmaps=count) for count in (2, -1, 1.0)),
    dict(inner_heatmaps=1, num_keypoints=None),
    *(dict(stem_channels=widths)
      for widths in ((64, 128), (0, 8, 8), 64, (8, 9, 8))),
    *(dict(out_stacks=stacks) for stacks in (
        -1, [1.0], [], [0], [1, 0], [1, 1], [1, -1], [1, 2], [-3, 1])),
    dict(norm_cfg=dict(type='GN', num_groups=32)),
    dict(norm_cfg=dict(type='Nothing')),
    dict(name='hg3'),
], ids=str)
def test_bad_argument_is_refused(options):
    with pytest.raises(ValueError):
        StackedHourglass.from_size(**{'name': 'hg1', **SMALL, **options})


def test_inner_heatmaps_come_from_the_smaller_hourglasses():
    options = dict(depth=3, feat_channels=(16, 24, 32, 32))
    plain = small_network(**options)
    network = small_network(inner_heatmaps=2, **options)
    missing, unexpected = network.load_state_dict(
        plain.state_dict(), strict=False)
    assert not unexpected and {name.split('.')[2]
                               for name in missing} == {'inner_heatmaps'}
    # The second route: a hook on a module that the figure shows.
    inputs = []
    stack = network.stacks[0]
    stack.hourglass.up.register_forward_hook(
        lambda module, arguments, output: inputs.append(arguments[0]))
    x = image(2, 3, 64, 32)
    outputs = network(x)
    assert [tuple(output.shape[2:]) for output in outputs
            ] == [(4, 2), (8, 4), (16, 8)] * 2
    torch.testing.assert_close(outputs[2::3], plain(x))
    # The last one's resolution is half of the stack's.
    torch.testing.assert_close(outputs[1], stack.inner_heatmaps[-1](inputs[0]))
    outputs[1].sum().backward()
    assert stack.inner_heatmaps[1].weight.grad.abs().sum() > 0
    assert stack.hourglass.inner.up[0].conv3.weight.grad.abs().sum() > 0
    assert stack.hourglass.up[0].conv3.weight.grad is None
    # In evaluation they cost nothing and are not there.
    assert [tuple(output.shape[2:])
            for output in network.eval()(x)] == [(16, 8)] * 2


def test_init_weights_logs_no_line_for_each_parameter(caplog, monkeypatch):
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handlers',
                        [caplog.handler])
    with caplog.at_level('DEBUG'):
        small_network().init_weights()
    assert caplog.records == []
