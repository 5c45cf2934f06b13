"""What is compared: layouts, weights and multiply-adds."""
import baselines
import pytest
import torch
from baselines import (
    STOCK,
    check_config,
    multiply_adds,
    our_config,
    stock_config,
    training_batch,
)
from mmengine.config import Config
from plain_network import PlainNetwork
from torch import nn

from hourglass_plugin.models import StackedHourglass


def our_network(**options):
    torch.manual_seed(0)
    network = StackedHourglass(
        num_stacks=2, feat_channels=16, depth=2, num_keypoints=5, **options)
    baselines.randomize(network)
    return network.eval()


def output_layouts(network, image):
    """The strides of what every convolution returns, as a layout each."""
    layouts = set()

    def look(module, inputs, output):
        if min(output.shape[1:]) == 1:
            return  # both layouts at once
        contiguous = output.is_contiguous()
        assert contiguous != output.is_contiguous(
            memory_format=torch.channels_last)
        layouts.add('contiguous' if contiguous else 'channels_last')

    hooks = [
        module.register_forward_hook(look) for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    outputs = network(image)
    for hook in hooks:
        hook.remove()
    return layouts, outputs


@torch.no_grad()
def test_plain_computes_the_same_in_contiguous_memory():
    network = our_network()
    image = torch.rand(2, 3, 32, 48, generator=torch.manual_seed(1))
    plain_layouts, plain = output_layouts(PlainNetwork(network), image)
    tuned_layouts, tuned = output_layouts(network, image)
    assert plain_layouts == {'contiguous'}
    assert tuned_layouts == {'channels_last'}
    for ours, theirs in zip(tuned, plain):
        assert ours.abs().max() > 0.01  # not zero against zero
        # Sums of some hundred products in another order.
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_plain_leaves_the_network_as_it_is():
    network = our_network()
    before = {name: x.stride() for name, x in network.named_parameters()}
    PlainNetwork(network)
    assert before == {name: x.stride() for name, x in
                      network.named_parameters()}


def test_randomize_is_repeatable_and_changes_statistics():
    first, second = our_network(), our_network()
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    assert first.stem.norm.running_mean.abs().max() > 0.01


def test_multiply_adds_of_a_small_convolution_by_hand():
    convolution = nn.Conv2d(3, 5, 3, stride=2, padding=1)
    # 4 x 3 outputs of 5 channels, each from 3 * 3 * 3 products.
    assert multiply_adds(convolution, convolution,
                         (8, 6)) == 4 * 3 * 5 * 27


def test_multiply_adds_of_the_papers_network():
    with torch.device('meta'):
        network = StackedHourglass.from_size('hg8', num_keypoints=16)
    # README's table, which counts convolutions.
    assert round(multiply_adds(network, network, (256, 256)) / 1e9, 1) == 27.4


@pytest.mark.parametrize('name, backbone, channels', [
    ('HourglassNet + CPMHead', 'HourglassNet', 256),
    ('HRNet-W32 + HeatmapHead', 'HRNet', 32),
    ('SimpleBaseline-ResNet-50', 'ResNet', 2048),
])
def test_stock_configs_are_mmposes(name, backbone, channels):
    model = stock_config(name).model
    assert model.backbone.type == backbone
    assert (model.head.in_channels, model.head.out_channels) == (channels, 16)
    assert model.head.decoder.type == 'MSRAHeatmap'
    assert len(STOCK) == 3


def test_mmpose_without_configs_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(baselines.mmpose, '__file__',
                        str(tmp_path / 'mmpose' / '__init__.py'))
    with pytest.raises(FileNotFoundError, match='hrnet-w32.*--beside'):
        stock_config('HRNet-W32 + HeatmapHead')


def test_networks_of_another_size_are_refused():
    config = baselines.resize(stock_config('HRNet-W32 + HeatmapHead'),
                               (128, 96))
    with pytest.raises(ValueError, match=r'^theirs is .*\(128, 96\).*256'):
        next(baselines.other_models((256, 256), 'cpu', {'theirs': config}))
    assert list(baselines.other_models((256, 256), 'cpu', {})) == []


def test_both_get_the_same_images_and_keypoints():
    size = (64, 64)
    stock = baselines.resize(stock_config('HRNet-W32 + HeatmapHead'), size)
    batch = training_batch(stock, 2)
    again = training_batch(stock, 2)
    assert batch['inputs'].shape == (2, 3, 64, 64)
    assert batch['inputs'].dtype == torch.uint8
    assert torch.equal(batch['inputs'], again['inputs'])
    heatmaps = batch['data_samples'][1].gt_fields.heatmaps
    assert heatmaps.shape == (16, 16, 16)
    assert torch.equal(heatmaps,
                       again['data_samples'][1].gt_fields.heatmaps)
    keypoints = batch['data_samples'][1].gt_instances.keypoints[0]
    # MSRAHeatmap rounds to the nearest of its cells of 4 pixels.
    cell = (keypoints[3] / 4 + 0.5).astype(int)
    inside = (cell < 16).all()
    assert not inside or heatmaps[3, cell[1], cell[0]] == 1


def test_our_config_copies():
    config = Config(dict(model=dict(backbone=dict(num_stacks=8))))
    assert our_config(config, 2).model.backbone.num_stacks == 2
    assert config.model.backbone.num_stacks == 8


@pytest.mark.parametrize('backbone', [
    dict(type='HRNet'),
    dict(type='StackedHourglass'),
    dict(type='StackedHourglass', num_keypoints=16, inner_heatmaps=2),
])
def test_other_networks_are_refused(backbone):
    with pytest.raises(ValueError, match=backbone['type']):
        check_config(Config(dict(model=dict(backbone=backbone))))
