"""Memory layout in a real training, also resumed."""
import warnings

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmpose.registry import MODELS
from small_runner import small_model, small_runner
from torch import distributed, nn


def are_innermost(*tensors):
    """Whether channels are innermost in memory, where it can be told."""
    return all(
        x.is_contiguous(memory_format=torch.channels_last)
        and (x.shape[-1] == 1 or not x.is_contiguous()) for x in tensors)


def watch(model):
    """Spatial convolutions, and layouts around them from now on."""
    # Of the others, 1x1, both layouts are the same.
    found = [module for module in model.modules()
             if isinstance(module, nn.Conv2d)
             and module.kernel_size != (1, 1)]
    assert len(found) > 10
    seen = []
    for convolution in found:
        convolution.register_forward_hook(
            lambda _, inputs, output: seen.append(
                # Of 1x1 pixel the layout does not matter.
                inputs[0].shape[-1] == 1 or are_innermost(inputs[0], output)))
    return found, seen


@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'BFloat16OptimWrapper'])
def test_channels_stay_innermost_when_resumed(tmp_path, wrapper):
    options = dict(
        people=2, resume=True, optim_wrapper=dict(
            type=wrapper, optimizer=dict(type='AdamW', lr=1e-3)))
    small_runner(tmp_path, 'first', epochs=1, **options).train()
    runner = small_runner(tmp_path, 'second', **options)
    convolutions, seen = watch(runner.model)
    runner.train()
    assert seen and all(seen)
    optimizer = runner.optim_wrapper.optimizer
    for weight in (convolution.weight for convolution in convolutions):
        assert are_innermost(weight, optimizer.state[weight]['exp_avg'])


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
    convolutions, seen = watch(model)
    with warnings.catch_warnings():
        # Such as "Grad strides do not match bucket view strides".
        warnings.simplefilter('error')
        for _ in range(2):
            heatmaps = wrapped(torch.rand(2, 3, 32, 32), None, mode='tensor')
            sum(h.square().mean() for h in heatmaps).backward()
    assert seen and all(seen)
    for convolution in convolutions:
        assert are_innermost(convolution.weight, convolution.weight.grad)
