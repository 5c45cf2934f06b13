"""CornerNet's form: by hand, and against OpenMMLab's own implementations."""
import pytest
import torch
from small_network import image, train_steps
from torch import nn

from hourglass_plugin.inference.optimize import optimize
from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.models.cornernet_form import BasicBlock
from hourglass_plugin.models.weights.key_maps import read_arguments
from hourglass_plugin.models.weights.loading import load_pretrained
from hourglass_plugin.models.weights.state_dicts import convert

# Sides are multiples of 4 * 2^3 = 32, or one less.
SMALL = dict(
    num_stacks=2,
    num_blocks=(2, 1, 2, 3),
    feat_channels=(8, 8, 12, 16),
    depth=3,
    form='cornernet')


def small_network(**options):
    torch.manual_seed(0)
    return StackedHourglass(**{**SMALL, **options})


def with_statistics(network, seed=0):
    """Norms as after training; values of about 1 everywhere."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low in ((module.running_mean, -0.5),
                                (module.running_var, 0.5),
                                (module.weight, 0.5), (module.bias, -0.5)):
                values.data.uniform_(low, low + 1, generator=generator)
    network.eval()  # MMPose's backbones return nothing
    return network


def openmmlabs(library, num_stacks=2):
    """HourglassNet of mmdet or mmpose with the widths of ``SMALL``.

    MMPose's stem gives 256 channels whatever is asked for.
    """
    backbones = pytest.importorskip(f'{library}.models.backbones')
    torch.manual_seed(1)
    width = 256 if library == 'mmpose' else 8
    network = backbones.HourglassNet(
        downsample_times=3,
        num_stacks=num_stacks,
        stage_channels=(width, 8, 12, 16),
        stage_blocks=(2, 1, 2, 3),
        feat_channel=width)
    return with_statistics(network)


def test_residual_module_by_hand():
    block = BasicBlock(1, 1, dict(type='BN', eps=0.0)).eval()
    for layer in (block.first, block.second):
        nn.init.ones_(layer.conv.weight)
        assert layer.conv.bias is None
    # first: sums over 3 neighbours of (1, -2, 4), (-1, 3, 2), of which the
    # ReLU leaves (0, 3, 2); second: (3, 5, 5); plus the input, (4, 3, 9).
    x = torch.tensor([1., -2., 4.]).view(1, 1, 1, 3)
    assert block(x).flatten().tolist() == [4, 3, 9]
    # The ReLU comes after the sum: (1, -2, -4) has sums of -1, -5, -6.
    x = torch.tensor([1., -2., -4.]).view(1, 1, 1, 3)
    assert block(x).flatten().tolist() == [1, 0, 0]


def test_stride_keeps_the_first_pixel_and_rounds_up():
    block = BasicBlock(1, 1, dict(type='BN', eps=0.0), stride=2).eval()
    for layer in (block.first, block.second):
        nn.init.zeros_(layer.conv.weight)
    nn.init.ones_(block.skip.conv.weight)
    x = torch.arange(5.).view(1, 1, 1, 5)
    assert block(x).flatten().tolist() == [0, 2, 4]


@pytest.mark.parametrize('norm_cfg', [None, dict(type='GN', num_groups=2)])
def test_every_weight_learns(norm_cfg):
    network = small_network(norm_cfg=norm_cfg)
    assert [o.shape[1:] for o in network(image(2, 3, 63, 96))
            ] == [(8, 16, 24)] * 2
    sum(output.square().mean()
        for output in network(image(2, 3, 64, 64))).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


def test_checkpointing_changes_no_bit():
    small = dict(depth=1, num_blocks=1, feat_channels=8)
    plain, checkpointed = small_network(**small), small_network(
        with_cp=True, **small)
    for ours, reference in zip(
            train_steps(checkpointed, checkpointed), train_steps(plain,
                                                                 plain)):
        assert torch.equal(ours, reference)
    for (name, ours), reference in zip(checkpointed.state_dict().items(),
                                       plain.state_dict().values()):
        assert torch.equal(ours, reference), name


@pytest.mark.parametrize('library, num_stacks', [('mmdet', 2), ('mmdet', 1),
                                                 ('mmpose', 1)])
@pytest.mark.parametrize('size', [(127, 127), (255, 127), (128, 256)])
def test_same_outputs_as_openmmlabs(library, num_stacks, size):
    theirs = openmmlabs(library, num_stacks)
    converted = convert(theirs.state_dict())
    arguments = read_arguments(converted.weights)
    width = 256 if library == 'mmpose' else 8
    assert arguments == dict(
        SMALL,
        num_stacks=num_stacks,
        feat_channels=(width, 8, 12, 16),
        num_keypoints=None,
        inner_heatmaps=0,
        in_channels=3,
        stem_channels=None)
    network = StackedHourglass(**arguments)
    network.load_state_dict(converted.weights, strict=True)
    x = image(2, 3, *size)
    with torch.no_grad():
        outputs, expected = network.eval()(x), theirs(x)
    assert len(outputs) == num_stacks
    for ours, reference in zip(outputs, expected):
        assert reference.std() > 0.1  # so that 1e-5 is small beside it
        torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)
    # In double precision nothing is left of what sums' order makes.
    with torch.no_grad():
        outputs = network.double()(x.double())
        expected = theirs.double()(x.double())
    for ours, reference in zip(outputs, expected):
        torch.testing.assert_close(ours, reference, rtol=1e-12, atol=1e-12)


def test_every_tensor_is_accounted_for():
    weights = openmmlabs('mmdet').state_dict()
    converted = convert(weights)
    assert set(converted.sources.values()) == set(weights)
    assert converted.unused == []
    # With one stack theirs makes a next input that nobody reads.
    [*unused] = convert(openmmlabs('mmdet', 1).state_dict()).unused
    assert unused == [
        name for name in openmmlabs('mmdet', 1).state_dict()
        if name.startswith('inters.')
    ]
    assert len(unused) == 12  # two convolutions, two norms of five tensors
    del weights['out_convs.1.conv.weight']
    with pytest.raises(
            ValueError,
            match=r'missing: out_convs.1.conv.weight \(here stacks.1.conv'):
        convert(weights)


def test_a_whole_detectors_file_is_a_start(tmp_path):
    theirs = openmmlabs('mmdet')
    path = tmp_path / 'cornernet.pth'
    torch.save(
        dict(
            meta=dict(epoch=210),
            state_dict={
                **{
                    f'backbone.{name}': tensor
                    for name, tensor in theirs.state_dict().items()
                }, 'bbox_head.tl_heat.0.1.conv.weight': torch.ones(1)
            }), path)
    network = small_network(
        init_cfg=dict(type='Pretrained', checkpoint=str(path))).eval()
    network.init_weights()
    x = image(1, 3, 127, 127)
    with torch.no_grad():
        for ours, reference in zip(network(x), theirs(x)):
            torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="with .*form='cornernet'.*; this one"
                       ".*form='newell'"):
        load_pretrained(StackedHourglass(num_stacks=2), theirs.state_dict())
    with pytest.raises(ValueError, match='num_stacks=2; this one has num_st'):
        load_pretrained(small_network(num_stacks=1), theirs.state_dict())


def test_features_of_another_width_are_refused():
    backbones = pytest.importorskip('mmdet.models.backbones')
    theirs = backbones.HourglassNet(
        downsample_times=1,
        num_stacks=1,
        stage_channels=(8, 8),
        stage_blocks=(1, 1),
        feat_channel=12)
    with pytest.raises(ValueError, match='another shape: out_convs.0.conv.we'):
        convert(theirs.state_dict())


@pytest.mark.parametrize('out_stacks', [None, (0, )])
@pytest.mark.parametrize('norm_cfg', [None, dict(type='GN', num_groups=2)])
def test_optimized_computes_the_same(monkeypatch, norm_cfg, out_stacks):
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)
    network = with_statistics(small_network(norm_cfg=norm_cfg))
    x = image(3, 3, 63, 96)
    fast = optimize(network, out_stacks=out_stacks)
    with torch.no_grad():
        expected = network(x)[:len(fast.out_stacks)]
    for ours, reference in zip(fast(x), expected):
        torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)
    norms = [type(module) for module in fast.modules()].count(nn.BatchNorm2d)
    assert norms == 0  # all are part of the convolutions before them
    assert len(fast.stacks) == (2 if out_stacks is None else 1)
    assert fast.stacks[-1].stack.merge_features is None


def test_narrow_blocks_learn():
    """Strided 1x1 convolutions of 8 channels wrote beyond torch's memory."""
    gradients = []
    for dtype in (torch.float32, torch.float64):
        torch.manual_seed(0)
        block = BasicBlock(8, 8, stride=2).to(dtype).to(
            memory_format=torch.channels_last).eval()
        x = torch.rand(
            2, 8, 31, 31, generator=torch.manual_seed(1)).to(dtype).to(
                memory_format=torch.channels_last)
        block(x).square().sum().backward()
        gradients.append(block.skip.conv.weight.grad.double())
    # Sums of 512 products in 32 bits.
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)
