"""The compiled network trains as the plain one, in a real training.

Most tests compile for ``aot_eager``, which traces forward and backward pass
as ``inductor`` does and then runs PyTorch's own kernels: no C++ compiler.
"""
import copy
import os
import shutil

import pytest
import torch
from small_runner import NoisePeople, small_runner
from torch._dynamo.utils import counters

from hourglass_plugin.compat.versions import programs_serve_all_modules
from hourglass_plugin.engine import CompileHook, compile_for_training
from hourglass_plugin.models import StackedHourglass


def small_network(**options):
    """The same weights at each call; in training mode."""
    torch.manual_seed(0)
    network = StackedHourglass(**{
        'num_stacks': 2,
        'feat_channels': 16,
        'depth': 2,
        'num_keypoints': 5,
        **options
    })
    for stack in network.stacks:
        stack.heatmaps.reset_parameters()  # else all predict nearly zero
    return network


def image(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def train_steps(network, count=3):
    """Outputs of steps of gradient descent, in the network's precision."""
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    dtype = next(network.parameters()).dtype
    outputs = []
    for step in range(count):
        optimizer.zero_grad()
        heatmaps = network(image(2, 3, 32, 48, seed=step).to(dtype))
        sum(h.square().mean() for h in heatmaps).backward()
        optimizer.step()
        outputs += [h.detach() for h in heatmaps]
    return outputs


SHARED = programs_serve_all_modules()


def programs(stacks):
    """Number of programs: the stem's, and that of one stack or of each."""
    return 1 + (1 if SHARED else stacks)


EVALUATED = dict(
    val_dataloader=dict(
        batch_size=2,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=NoisePeople(3)),
    val_cfg=dict(),
    val_evaluator=[])


@pytest.fixture(autouse=True)
def nothing_compiled_yet():
    torch._dynamo.reset()
    counters.clear()


def compiled_hook(**options):
    return dict(
        compile=dict(
            type='CompileHook', **{
                'backend': 'aot_eager',
                **options
            }))


def train(work_dir, name, **options):
    runner = small_runner(work_dir / name, name, **options)
    runner.train()
    return runner.model.state_dict()


def assert_close(ours, reference, tolerance=1e-4):
    """Names are equal, and values nearly.

    Sums in another order err by 1e-6 in float32, and the next steps, with
    norms over 32 numbers, make that grow; the weights change by 1e-2.
    """
    assert list(ours) == list(reference)
    for name, value in ours.items():
        torch.testing.assert_close(
            value, reference[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize('with_cp', [
    False,
    pytest.param(
        True, marks=pytest.mark.skipif(not SHARED, reason='needs torch 2.5'))
])
def test_compiled_steps_are_those_of_the_plain_network(with_cp):
    """In float64, where rounding does not grow to anything."""
    plain = small_network().double()
    network = small_network(with_cp=with_cp).double()
    compile_for_training(network, backend='aot_eager', dynamic=False)
    # Errors of 1e-16 grow a hundredfold in each step.
    for ours, reference in zip(train_steps(network), train_steps(plain)):
        torch.testing.assert_close(ours, reference, rtol=1e-9, atol=1e-9)
    for (name, ours), reference in zip(network.state_dict().items(),
                                       plain.state_dict().values()):
        # Weights, running statistics and num_batches_tracked.
        torch.testing.assert_close(
            ours, reference, rtol=1e-9, atol=1e-9, msg=name)
    # Recomputing leaves running statistics alone, which is another program.
    assert counters['stats']['unique_graphs'] == programs(2) + with_cp


@pytest.mark.parametrize('wrapper, with_cp', [
    ('OptimWrapper', False),
    ('BFloat16OptimWrapper', SHARED),
])
def test_trained_as_without_compiling(tmp_path, wrapper, with_cp):
    options = dict(
        epochs=1,
        people=3,
        backbone=dict(with_cp=with_cp),
        optim_wrapper=dict(
            type=wrapper, optimizer=dict(type='SGD', lr=1e-3)))
    ours = train(
        tmp_path, 'compiled', default_hooks=compiled_hook(), **options)
    assert counters['stats']['unique_graphs'] > 0
    reference = train(tmp_path, 'plain', **options)
    # bfloat16 has 8 bits; the compiler leaves some of its roundings out.
    assert_close(ours, reference,
                 1e-2 if wrapper == 'BFloat16OptimWrapper' else 1e-4)


def test_resumed_training_is_compiled_too(tmp_path):
    slow = dict(
        people=2,
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=1e-3)))
    train(tmp_path, 'whole', default_hooks=compiled_hook(), **slow)
    graphs = counters['stats']['unique_graphs']
    assert graphs > 0
    resume = dict(
        slow, load_from=str(tmp_path / 'whole/epoch_1.pth'), resume=True)
    states = {}
    for name, hooks in (('compiled', compiled_hook()), ('plain', {})):
        torch._dynamo.reset()
        counters.clear()
        states[name] = train(tmp_path, name, default_hooks=hooks, **resume)
        assert counters['stats']['unique_graphs'] == (
            graphs if name == 'compiled' else 0)
    assert_close(states['compiled'], states['plain'])
    assert_close(
        states['compiled'],
        torch.load(tmp_path / 'whole/epoch_2.pth',
                   weights_only=False)['state_dict'])


def test_programs_are_few_and_none_is_for_evaluation(tmp_path):
    """For two people, and for the epoch's last one."""
    train(
        tmp_path, 'evaluated', epochs=3, default_hooks=compiled_hook(),
        **EVALUATED)
    assert counters['stats']['unique_graphs'] == 2 * programs(2)
    assert not counters['graph_break']


@pytest.mark.skipif(not SHARED, reason='needs torch 2.5')
def test_program_of_one_stack_serves_all():
    network = small_network(num_stacks=4)
    compile_for_training(network, backend='aot_eager', dynamic=False)
    train_steps(network)
    assert counters['stats']['unique_graphs'] == 2


def test_evaluation_changes_no_bit():
    network, plain = small_network().eval(), small_network().eval()
    compile_for_training(network, backend='aot_eager')
    for ours, reference in zip(
            network(image(1, 3, 32, 32)), plain(image(1, 3, 32, 32))):
        assert torch.equal(ours, reference)
    assert counters['stats']['unique_graphs'] == 0


def test_copy_of_a_compiled_network_has_weights_of_its_own():
    network = small_network()
    compile_for_training(network, backend='aot_eager')
    copied = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    x = image(1, 3, 32, 32)
    assert all(output.eq(0).all() for output in copied(x))
    assert not any(output.eq(0).all() for output in network(x))


def test_another_backbone_is_compiled_as_a_whole():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    plain = copy.deepcopy(network)
    compile_for_training(network, backend='aot_eager')
    x = image(2, 3, 4, 4)
    # The same kernels in the same order.
    torch.testing.assert_close(network(x), plain(x), rtol=1e-6, atol=1e-6)
    assert counters['stats']['unique_graphs'] == 1


@pytest.mark.skipif(
    shutil.which(os.environ.get('CXX', 'g++')) is None,
    reason='inductor needs a C++ compiler')
def test_inductor_trains_as_without_compiling(tmp_path):
    states = {
        name: train(tmp_path, name, people=2, default_hooks=hooks)
        for name, hooks in (('compiled',
                             compiled_hook(backend='inductor')), ('plain', {}))
    }
    assert counters['stats']['unique_graphs'] == programs(2)
    assert_close(states['compiled'], states['plain'])


def test_switched_off(tmp_path):
    train(tmp_path, 'off', epochs=1, default_hooks=compiled_hook(enable=False))
    assert counters['stats']['unique_graphs'] == 0


def test_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler -O2')
    with pytest.raises(ValueError) as refused:
        CompileHook()
    assert 'no-such-compiler -O2' in str(refused.value)
    CompileHook(enable=False)
    CompileHook(backend='aot_eager')


def test_recomputing_is_refused_where_torch_cannot(monkeypatch):
    monkeypatch.setattr('hourglass_plugin.engine.compile_hook.'
                        'programs_serve_all_modules', lambda: False)
    with pytest.raises(ValueError):
        compile_for_training(small_network(with_cp=True), backend='aot_eager')
