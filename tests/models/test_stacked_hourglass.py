"""The network's arithmetic against a second implementation."""
import pytest
import torch
import torch.nn.functional as F
from reference_network import reference_name, reference_network
from small_network import image, small_network, with_visible_heatmaps
from torch import nn

from hourglass_plugin.models.stacked_hourglass import StackedHourglass


def randomise_norms(network):
    """Norms as after training: none of their numbers is 0 or 1."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
    return network


def reference_weights(network):
    """The weights themselves and copies of the buffers, renamed."""
    tensors = dict(network.named_parameters())
    tensors.update((name, buffer.clone())
                   for name, buffer in network.named_buffers()
                   if not name.endswith('num_batches_tracked'))
    renamed = {
        reference_name(name, network.depth): tensor
        for name, tensor in tensors.items()
    }
    assert len(renamed) == len(tensors)
    return renamed


def run_reference(network, x, weights=None):
    return reference_network(
        reference_weights(network) if weights is None else weights, x,
        network.num_stacks, len(network.stacks[0].residuals), network.depth,
        network.training)


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('options', [
    dict(num_stacks=1),
    dict(num_stacks=1, num_keypoints=None),
    dict(num_stacks=2, num_blocks=2),
    dict(num_stacks=3),
    dict(num_stacks=3, num_keypoints=None),
    dict(num_stacks=2, depth=1),
    dict(num_stacks=2, depth=3, in_channels=1),
    dict(num_stacks=2, stem_channels=(4, 8, 16)),
    dict(num_stacks=2, stem_channels=(6, 16, 4), num_blocks=2),
])
def test_outputs_and_gradients_equal_the_reference(options, training):
    # In double precision the same sums in another order differ by about 1e-15
    # of their terms, which are about 1; this leaves room for many layers.
    tolerance = dict(rtol=1e-10, atol=1e-10)
    network = randomise_norms(small_network(**options)).double()
    network.train(training)
    x = image(2, options.get('in_channels', 3), 32, 64, dtype=torch.float64)
    weights = reference_weights(network)

    expected = run_reference(network, x, weights)
    outputs = network(x)
    assert len(outputs) == len(expected) == options['num_stacks']
    for output, reference in zip(outputs, expected):
        assert reference.std() > 0.01
        torch.testing.assert_close(output, reference, **tolerance)

    def gradients(tensors):
        loss = sum((i + t.sin()).square().sum() for i, t in enumerate(tensors))
        return torch.autograd.grad(loss, list(network.parameters()))

    for ours, reference in zip(gradients(outputs), gradients(expected)):
        torch.testing.assert_close(ours, reference, rtol=1e-8, atol=1e-8)
    if training:
        for name, buffer in network.named_buffers():
            if not name.endswith('num_batches_tracked'):
                torch.testing.assert_close(
                    buffer, weights[reference_name(name, network.depth)],
                    **tolerance)


@pytest.mark.parametrize('stem_channels', [None, (64, 128, 256)])
def test_full_width_equals_the_reference_in_single_precision(stem_channels):
    torch.manual_seed(0)
    network = StackedHourglass(
        num_stacks=2, num_keypoints=16, stem_channels=stem_channels).eval()
    randomise_norms(with_visible_heatmaps(network))
    # The reference works on ordinary contiguous tensors, the network with
    # channels innermost: the layout changes no result either.
    weights = {
        name: tensor.contiguous()
        for name, tensor in reference_weights(network).items()
    }
    x = image(1, 3, 128, 64)
    with torch.no_grad():
        expected = run_reference(network, x, weights)
        outputs = network(x)
    for output, reference in zip(outputs, expected):
        scale = reference.abs().max()
        assert (output - reference).abs().max() <= 1e-5 * scale


def test_reference_uses_every_weight():
    """Otherwise the tests above would not see a weight that acts nowhere."""

    class Recording(dict):

        def __getitem__(self, name):
            used.add(name)
            return super().__getitem__(name)

    used = set()
    network = small_network(num_blocks=2)
    weights = Recording(reference_weights(network))
    run_reference(network, image(1, 3, 32, 32), weights)
    assert used == set(weights)


def test_heatmaps_are_fed_into_all_later_stacks():
    network = small_network(num_stacks=3).eval()
    x = image(1, 3, 32, 32)
    before = network(x)
    with torch.no_grad():
        network.stacks[1].heatmaps.bias += 1
    after = network(x)
    assert torch.equal(before[0], after[0])
    torch.testing.assert_close(after[1], before[1] + 1)
    assert (after[2] - before[2]).abs().max() > 1e-3


def test_next_input_is_the_sum_of_three_terms():
    network = small_network().eval()
    inputs, features = [], []
    for stack in network.stacks:
        stack.hourglass.register_forward_pre_hook(
            lambda _, arguments: inputs.append(arguments[0]))
        stack.norm.register_forward_hook(
            lambda _, __, output: features.append(F.relu(output)))
    heatmaps = network(image(1, 3, 32, 32))
    stack = network.stacks[0]
    torch.testing.assert_close(
        inputs[1], inputs[0] + stack.merge_features(features[0]) +
        stack.merge_heatmaps(heatmaps[0]))


def test_without_keypoints_features_are_returned_and_fed():
    network = small_network(num_keypoints=None).eval()
    names = {
        name.split('.')[2]
        for name, _ in network.named_parameters() if name.startswith('stacks')
    }
    assert names == {
        'hourglass', 'residuals', 'conv', 'norm', 'merge_features'
    }
    inputs = []
    for stack in network.stacks:
        stack.hourglass.register_forward_pre_hook(
            lambda _, arguments: inputs.append(arguments[0]))
    features = network(image(1, 3, 32, 32))
    for feature in features:
        # After the ReLU: no value below 0 and, in a fresh network, many at 0.
        assert feature.shape == (1, 16, 8, 8)
        assert feature.min() == 0 and (feature > 0).any()
    merged = network.stacks[0].merge_features(features[0])
    torch.testing.assert_close(inputs[1], inputs[0] + merged)


# A first pass with momentum 1 sets the running statistics to the batch's, so
# that no channel is beyond its ReLU in eval mode.
BATCH_STATISTICS = dict(type='BN', momentum=1.0)


@pytest.mark.parametrize('options', [
    dict(),
    dict(num_keypoints=None),
    dict(num_stacks=1),
    dict(num_stacks=3, out_stacks=[-1]),
    dict(num_stacks=3, out_stacks=[-1], num_keypoints=None),
    dict(num_stacks=3, out_stacks=[0, 2]),
    dict(num_blocks=2),
    dict(depth=1, stem_channels=(8, 16, 16)),
    dict(with_cp=True),
    dict(norm_cfg=dict(type='GN', num_groups=2)),
])
def test_gradients_reach_every_weight(options):
    network = small_network(**{'norm_cfg': BATCH_STATISTICS, **options})
    x = image(2, 3, 32, 32)
    network(x)
    # In eval mode, since in training batch norm takes out biases: see below.
    network.eval()
    sum(output.square().sum() for output in network(x)).backward()
    dead = [
        name for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().max() > 0
    ]
    assert dead == []


def test_batch_norm_takes_out_all_biases_but_the_heatmaps():
    # A constant added to a channel anywhere reaches every later norm as a
    # constant, through 1x1 convolutions, pooling and upsampling, and 3x3
    # convolutions have norms before them: in training these biases, which
    # the paper's network has, change nothing, and no other weight is idle.
    network = small_network().double()
    outputs = network(image(2, 3, 32, 32, dtype=torch.float64))
    sum(output.square().sum() for output in outputs).backward()
    idle = {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad.abs().max() < 1e-9
    }
    biases = {
        f'{name}.bias'
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    assert idle == biases - {
        'stacks.0.heatmaps.bias', 'stacks.1.heatmaps.bias'
    }
