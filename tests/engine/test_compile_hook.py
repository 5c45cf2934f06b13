"""The compiled network trains as the plain one.

``aot_eager`` traces forward and backward pass as ``inductor`` does and then
runs PyTorch's own kernels: no C++ compiler.
"""
import copy
import os
import shutil
from types import SimpleNamespace

import pytest
import torch
from small_network import image, small_network, train_steps
from small_runner import loader, small_runner
from torch._dynamo.utils import counters

from hourglass_plugin.compat.versions import programs_serve_all_modules
from hourglass_plugin.engine import CompileHook, compile_for_training

SHARED = programs_serve_all_modules()
needs_shared = pytest.mark.skipif(not SHARED, reason='needs torch 2.5')
needs_compiler = pytest.mark.skipif(
    shutil.which(os.environ.get('CXX', 'g++')) is None,
    reason='inductor needs a C++ compiler')


def programs(stacks):
    """Number of programs: the stem's, and that of one stack or of each."""
    return 1 + (1 if SHARED else stacks)


@pytest.fixture(autouse=True)
def nothing_compiled_yet():
    torch._dynamo.reset()
    counters.clear()


def three_stacks(**options):
    return small_network(num_stacks=3, feat_channels=8, depth=1, **options)


@pytest.mark.parametrize('backend, with_cp', [
    ('aot_eager', False),
    pytest.param('aot_eager', True, marks=needs_shared),
    pytest.param('inductor', False, marks=needs_compiler)])
def test_compiled_steps_are_those_of_the_plain_network(backend, with_cp):
    """In float64, where rounding does not grow to anything."""
    plain = three_stacks().double()
    network = three_stacks(with_cp=with_cp).double()
    compile_for_training(network, backend=backend, dynamic=False)
    # Errors of 1e-16 grow a hundredfold in each step.
    torch.testing.assert_close(
        train_steps(network, network, 3), train_steps(plain, plain, 3),
        rtol=1e-9, atol=1e-9)
    # Weights, running statistics and num_batches_tracked.
    torch.testing.assert_close(
        network.state_dict(), plain.state_dict(), rtol=1e-9, atol=1e-9)
    # Recomputing leaves running statistics alone, which is another program.
    assert counters['stats']['unique_graphs'] == programs(3) + with_cp


@pytest.mark.parametrize('wrapper, tolerance', [
    # Sums in another order err by 1e-6 in float32, and the next steps, with
    # norms over few numbers, make that grow; the weights change by 1e-2.
    ('OptimWrapper', 1e-4),
    # bfloat16 has 8 bits; the compiler leaves some of its roundings out.
    ('BFloat16OptimWrapper', 1e-2)])
def test_trained_and_resumed_as_without_compiling(tmp_path, wrapper,
                                                  tolerance):
    """Two people and the epoch's last one are two sizes of a batch."""
    options = dict(
        people=3, val_dataloader=loader(3), val_cfg=dict(), val_evaluator=[],
        optim_wrapper=dict(
            type=wrapper, optimizer=dict(type='SGD', lr=1e-3)))
    weights = {}
    for name, is_compiled in (('compiled', True), ('plain', False)):
        hooks = dict(
            compile=dict(
                type='CompileHook', enable=is_compiled, backend='aot_eager'))
        for epochs in (1, 2):
            torch._dynamo.reset()
            counters.clear()
            runner = small_runner(
                tmp_path / name, name, epochs, resume=True,
                default_hooks=hooks, **options)
            runner.train()
            # None for evaluation.
            assert counters['stats']['unique_graphs'] == (
                2 * programs(2) if is_compiled else 0)
            assert not counters['graph_break']
        weights[name] = runner.model.state_dict()
    assert list(weights['compiled']) == list(weights['plain'])
    torch.testing.assert_close(
        weights['compiled'], weights['plain'], rtol=tolerance, atol=tolerance)


def test_evaluation_and_copies_are_not_compiled():
    network, plain = three_stacks().eval(), three_stacks().eval()
    x = image(2, 3, 32, 32)
    compile_for_training(network, backend='aot_eager')
    copied = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    for ours, reference in zip(network(x), plain(x)):
        assert torch.equal(ours, reference)
    # The copy has its own weights.
    assert all(output.eq(0).all() for output in copied(x))
    assert counters['stats']['unique_graphs'] == 0


def test_another_backbone_is_compiled_as_a_whole():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    plain = copy.deepcopy(network)
    compile_for_training(network, backend='aot_eager')
    # The same kernels in the same order.
    x = image(2, 3, 32, 32)
    torch.testing.assert_close(network(x), plain(x), rtol=1e-6, atol=1e-6)
    assert counters['stats']['unique_graphs'] == 1


def test_recomputing_is_refused_where_torch_cannot(monkeypatch):
    monkeypatch.setattr('hourglass_plugin.engine.compile_hook.'
                        'programs_serve_all_modules', lambda: False)
    with pytest.raises(ValueError):
        compile_for_training(three_stacks(with_cp=True), backend='aot_eager')


def test_a_model_without_a_backbone_is_refused():
    runner = SimpleNamespace(model=torch.nn.Identity())
    with pytest.raises(ValueError):
        CompileHook().before_train(runner)
    CompileHook(enable=False).before_train(runner)
