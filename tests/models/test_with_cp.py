"""``with_cp``: the same numbers for less memory.

Both ways the same kernels work on the same values, so all results are equal to
the last bit.
"""
import copy
from collections import Counter

import pytest
import torch
from small_network import image, small_network, train_steps

from hourglass_plugin.models.hourglass import Hourglass
from hourglass_plugin.models.residual import Residual


@pytest.mark.parametrize('norm_cfg', [
    dict(type='BN'),
    dict(type='BN', momentum=None),
    dict(type='SyncBN'),
    dict(type='SyncBN', momentum=None),
    dict(type='BN', track_running_stats=False),
    dict(type='IN', affine=True, track_running_stats=True),
    dict(type='GN', num_groups=2),
])
def test_checkpointing_changes_no_bit(norm_cfg):
    plain = small_network(norm_cfg=norm_cfg)
    checkpointed = small_network(norm_cfg=norm_cfg, with_cp=True)
    for ours, reference in zip(
            train_steps(checkpointed, checkpointed), train_steps(plain,
                                                                 plain)):
        assert torch.equal(ours, reference)
    for (name, ours), reference in zip(checkpointed.state_dict().items(),
                                       plain.state_dict().values()):
        # Weights, running statistics and num_batches_tracked.
        assert torch.equal(ours, reference), name
    for ours, reference in zip(checkpointed.parameters(), plain.parameters()):
        assert torch.equal(ours.grad, reference.grad)
    for ours, reference in zip(checkpointed.modules(), plain.modules()):
        assert getattr(ours, 'momentum', 0) == getattr(reference, 'momentum',
                                                       0)


def test_checkpointing_in_mixed_precision_changes_no_bit():
    networks = [small_network(with_cp=with_cp) for with_cp in (False, True)]
    for network in networks:
        with torch.autocast('cpu', torch.bfloat16):
            outputs = network(image(2, 3, 32, 48))
        sum(output.float().square().mean() for output in outputs).backward()
    for ours, reference in zip(*(n.parameters() for n in networks)):
        assert torch.equal(ours.grad, reference.grad)


@pytest.mark.parametrize('with_cp, training, with_gradients, passes', [
    (False, True, True, 1),
    (True, True, True, 2),
    (True, False, True, 2),
    (True, True, False, 1),
    (True, False, False, 1),
])
def test_what_is_computed_twice(with_cp, training, with_gradients, passes):
    network = small_network(with_cp=with_cp).train(training)
    count = Counter()
    for name, module in network.named_modules():
        if isinstance(module, (Hourglass, Residual)):
            module.register_forward_hook(
                lambda *_, name=name: count.update([name]))
    with torch.set_grad_enabled(with_gradients):
        loss = sum(o.square().sum() for o in network(image(2, 3, 32, 32)))
    if with_gradients:
        loss.backward()
    once = [name for name in count if name.startswith(('stem.', 'stacks.1.'))]
    # What the backward pass needs first, the last of two stacks, is kept.
    assert len(once) > 3
    assert {count.pop(name) for name in once} == {1}
    assert set(count.values()) == {passes}


def test_checkpointing_keeps_less():
    """Bytes that the forward pass keeps for the backward pass."""

    def kept(with_cp):
        tensors = {}

        def remember(tensor):
            tensors[tensor.data_ptr()] = tensor
            return tensor

        network = small_network(num_stacks=4, with_cp=with_cp)
        weights = {p.data_ptr() for p in network.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(remember, lambda t: t):
            network(image(2, 3, 64, 64))
        return sum(t.nbytes for pointer, t in tensors.items()
                   if pointer not in weights)

    # Besides the stem and the last stack, which are kept in both cases, the
    # inner tensors of 3 hourglasses of 7 residual modules each are kept
    # without.
    assert kept(with_cp=True) < 0.6 * kept(with_cp=False)


def test_checkpointed_evaluation_leaves_statistics_alone():
    network = small_network(with_cp=True).eval()
    plain = small_network().eval()
    before = copy.deepcopy(network.state_dict())
    x = image(1, 3, 32, 32)
    outputs = network(x)
    for ours, reference in zip(outputs, plain(x)):
        assert torch.equal(ours, reference)
    sum(output.sum() for output in outputs).backward()
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
