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


@pytest.mark.parametrize('in_bfloat16, norm_cfg', [
    (False, dict(type='BN')),
    (True, dict(type='BN')),
    (False, dict(type='BN', momentum=None)),
    (False, dict(type='SyncBN')),
    (False, dict(type='BN', track_running_stats=False)),
    (False, dict(type='IN', affine=True, track_running_stats=True)),
    (False, dict(type='GN', num_groups=2)),
], ids=str)
def test_checkpointing_changes_no_bit(in_bfloat16, norm_cfg):
    results = []
    for with_cp in (False, True):
        network = small_network(norm_cfg=norm_cfg, with_cp=with_cp)
        with torch.autocast('cpu', torch.bfloat16, enabled=in_bfloat16):
            outputs = train_steps(network, network)
        # Weights, running statistics and num_batches_tracked.
        tensors = (outputs, network.state_dict(),
                   [parameter.grad for parameter in network.parameters()])
        momenta = [getattr(m, 'momentum', 0) for m in network.modules()]
        results.append((tensors, momenta))
    torch.testing.assert_close(results[1][0], results[0][0], rtol=0, atol=0)
    assert results[1][1] == results[0][1]


@pytest.mark.parametrize('with_cp, training, with_gradients, passes', [
    (False, True, True, 1),
    (True, True, True, 2),
    (True, False, True, 2),
    (True, True, False, 1)])
def test_stacks_but_the_last_are_computed_twice(with_cp, training,
                                                with_gradients, passes):
    network = small_network(with_cp=with_cp).train(training)
    before = copy.deepcopy(network.state_dict())
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
    if not training:
        torch.testing.assert_close(
            network.state_dict(), before, rtol=0, atol=0)
