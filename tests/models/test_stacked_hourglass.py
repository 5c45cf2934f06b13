"""The network's arithmetic against a second implementation."""
import pytest
import torch
from ports import randomised
from reference_network import reference_name, reference_network
from small_network import image, small_network


class ReferenceWeights(dict):
    """The parameters and copies of the buffers, renamed; notes their use."""

    def __init__(self, network):
        self.used = set()
        for name, parameter in network.named_parameters():
            self[reference_name(name, network.depth)] = parameter
        for name, buffer in network.named_buffers():
            if not name.endswith('num_batches_tracked'):
                self[reference_name(name, network.depth)] = buffer.clone()

    def __getitem__(self, name):
        self.used.add(name)
        return super().__getitem__(name)


def run_reference(network, x, weights):
    outputs = reference_network(weights, x, network.num_stacks,
                                len(network.stacks[0].residuals),
                                network.depth, network.training)
    # Otherwise a weight that acts nowhere would not be seen.
    assert weights.used == set(weights)
    assert len(weights) + sum(
        name.endswith('num_batches_tracked')
        for name in network.state_dict()) == len(network.state_dict())
    return outputs


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('options', [
    dict(num_stacks=1),
    dict(num_stacks=2, num_blocks=2),
    dict(num_stacks=3),
    dict(num_stacks=3, num_keypoints=None),
    dict(num_stacks=2, depth=1),
    dict(num_stacks=2, depth=3, in_channels=1),
    dict(num_stacks=2, stem_channels=(6, 16, 4), num_blocks=2)])
def test_outputs_and_gradients_equal_the_reference(options, training):
    # In double precision the same sums in another order differ by about 1e-15
    # of their terms, which are about 1; this leaves room for many layers.
    tolerance = dict(rtol=1e-10, atol=1e-10)
    network = randomised(small_network(**options)).double()
    network.train(training)
    x = image(2, options.get('in_channels', 3), 32, 64, dtype=torch.float64)
    weights = ReferenceWeights(network)
    expected = run_reference(network, x, weights)
    outputs = network(x)
    assert len(outputs) == len(expected) == options['num_stacks']
    for output, reference in zip(outputs, expected):
        assert reference.std() > 0.01
        torch.testing.assert_close(output, reference, **tolerance)

    def gradients(tensors):
        loss = sum((i + t.sin()).square().sum() for i, t in enumerate(tensors))
        return torch.autograd.grad(loss, list(network.parameters()))

    torch.testing.assert_close(
        gradients(outputs), gradients(expected), rtol=1e-8, atol=1e-8)
    # In training both have updated their running statistics.
    torch.testing.assert_close(
        dict(ReferenceWeights(network)), dict(weights), **tolerance)
