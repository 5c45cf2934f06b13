"""Memory layout and optimizer options in a real training, also resumed."""
import warnings

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import build_optim_wrapper
from mmpose.registry import MODELS
from small_runner import small_model, small_runner
from torch import distributed, nn


def spatial_convolutions(model):
    """Of the others, 1x1, both layouts are the same."""
    found = [
        module for module in model.modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)
    ]
    assert len(found) > 10
    return found


def is_channels_last(tensor):
    return (tensor.is_contiguous(memory_format=torch.channels_last)
            and not tensor.is_contiguous())


def watch_layouts(model):
    """Layouts of what goes into the convolutions, from now on."""
    seen = []
    for convolution in spatial_convolutions(model):
        convolution.register_forward_hook(
            lambda _, inputs, output: seen.append(
                # At 1x1 pixel there is no telling, nor need.
                inputs[0].shape[-1] == 1 or
                (is_channels_last(inputs[0]) and is_channels_last(output))))
    return seen


@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'BFloat16OptimWrapper'])
def test_channels_stay_innermost_when_resumed(tmp_path, wrapper):
    options = dict(
        people=2,
        resume=True,
        optim_wrapper=dict(
            type=wrapper, optimizer=dict(type='AdamW', lr=1e-3)))
    small_runner(tmp_path, 'first', epochs=1, **options).train()
    runner = small_runner(tmp_path, 'second', **options)
    seen = watch_layouts(runner.model)
    runner.train()
    assert seen and all(seen)
    optimizer = runner.optim_wrapper.optimizer
    for convolution in spatial_convolutions(runner.model):
        assert is_channels_last(convolution.weight)
        assert is_channels_last(optimizer.state[convolution.weight]['exp_avg'])


@pytest.fixture
def process_group():
    distributed.init_process_group(
        'gloo', store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_channels_stay_innermost_in_several_processes(process_group):
    torch.manual_seed(0)
    model = MODELS.build(small_model())
    wrapped = MMDistributedDataParallel(model)
    seen = watch_layouts(model)
    with warnings.catch_warnings():
        # Such as "Grad strides do not match bucket view strides".
        warnings.simplefilter('error')
        for _ in range(2):
            heatmaps = wrapped(torch.rand(2, 3, 32, 32), None, mode='tensor')
            sum(h.square().mean() for h in heatmaps).backward()
    assert seen and all(seen)
    for convolution in spatial_convolutions(model):
        assert is_channels_last(convolution.weight)
        assert is_channels_last(convolution.weight.grad)


def runs_on_the_cpu(optimizer):
    """Return whether this torch can run the optimizer without a GPU."""
    try:
        build_optim_wrapper(
            nn.Linear(1, 1), dict(type='OptimWrapper', optimizer=optimizer))
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize('options, optimizer', [
    (dict(foreach=True), dict(type='AdamW', lr=1e-3)),
    (dict(foreach=True), dict(type='RMSprop', lr=2.5e-4)),
    (dict(fused=True), dict(type='AdamW', lr=1e-3)),
])
def test_fewer_kernels_for_the_same_steps(tmp_path, options, optimizer):
    if not runs_on_the_cpu({**options, **optimizer}):
        pytest.skip('fused on the CPU needs torch 2.4')
    weights = []
    for chosen in (options, {}):
        wrapper = dict(
            type='BFloat16OptimWrapper', optimizer={**optimizer, **chosen})
        # Two steps more from the checkpoint, with the optimizer's state.
        for epochs in (1, 2):
            runner = small_runner(
                tmp_path / str(len(weights)), 'fewer', epochs, people=2,
                optim_wrapper=wrapper, resume=True)
            runner.train()
        group, = runner.optim_wrapper.optimizer.param_groups
        assert all(bool(group[name]) == bool(chosen) for name in options)
        weights.append(runner.model.state_dict())
    # Steps of 1e-3 at most, whose factors are multiplied in another order:
    # 1e-6 of them, grown by the bfloat16 (2^-9) of the next step.
    torch.testing.assert_close(*weights, rtol=0.01, atol=1e-4)
