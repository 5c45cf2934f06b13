"""An optimized network computes the same."""
import copy

import pytest
import torch
from small_network import image, small_network
from torch import nn

from hourglass_plugin.inference import optimize as inference
from hourglass_plugin.inference.optimize import optimize

# Reordered float32 sums of the small network's heatmaps, of height about 1:
# some 20 convolutions deep, each rounds by 2^-24 of its value.
CLOSE = dict(atol=1e-5, rtol=1e-5)


COMPILE = torch.compile


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Compile only where a test says so: it takes seconds."""
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)


def trained_network(**options):
    """Norms whose statistics and weights all count, in training mode."""
    network = small_network(**options)
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for values, low in ((module.running_mean, -0.5),
                                (module.running_var, 0.5),
                                (module.weight, 0.5), (module.bias, -0.5)):
                if values is not None:
                    values.data.uniform_(low, low + 1, generator=generator)
    return network


def outputs_of(network, x):
    with torch.no_grad():
        return copy.deepcopy(network).eval()(x)


def assert_all_close(outputs, expected, **tolerance):
    assert len(outputs) == len(expected)
    for output, other in zip(outputs, expected):
        torch.testing.assert_close(output, other, **(tolerance or CLOSE))


@pytest.mark.parametrize('options', [
    dict(),
    dict(num_keypoints=None),
    dict(num_stacks=1),
    dict(num_stacks=3, out_stacks=(0, 2), num_blocks=2),
    dict(inner_heatmaps=1),
    dict(with_cp=True),
    dict(stem_channels=(6, 12, 16)),
    dict(norm_cfg=dict(type='SyncBN')),
    dict(norm_cfg=dict(type='BN', affine=False)),
    dict(norm_cfg=dict(type='GN', num_groups=2)),
    dict(norm_cfg=dict(type='IN', affine=True)),
])
def test_same_outputs(options):
    network = trained_network(**options)
    x = image(3, 3, 32, 48)
    assert_all_close(optimize(network)(x), outputs_of(network, x))


@pytest.mark.parametrize('side', [31, 32])
def test_sizes_are_the_networks_own(side):
    network = trained_network()
    x = image(1, 3, side, side)
    assert_all_close(optimize(network)(x), outputs_of(network, x))
    with pytest.raises(ValueError):
        optimize(network)(image(1, 3, 40, 32))


@pytest.mark.parametrize('out_stacks, indices', [
    ((0, ), [0]),
    ((1, ), [1]),
    ((-1, ), [2]),
    ((0, -2), [0, 1]),
    ([0, 1, 2], [0, 1, 2]),
])
def test_chosen_stacks(out_stacks, indices):
    network = trained_network(num_stacks=3)
    x = image(2, 3, 32, 32)
    expected = outputs_of(network, x)
    fast = optimize(network, out_stacks=out_stacks)
    assert_all_close(fast(x), [expected[index] for index in indices])
    assert fast.out_stacks == tuple(indices)
    assert len(fast.stacks) == indices[-1] + 1  # nothing comes after


@pytest.mark.parametrize('out_stacks', [(3, ), (-4, ), (1, 0), (), 0])
def test_wrong_stacks_are_refused(out_stacks):
    with pytest.raises(ValueError):
        optimize(trained_network(num_stacks=3), out_stacks=out_stacks)


def test_norms_and_heatmaps_are_removed():
    network = trained_network(num_stacks=3)
    fast = optimize(network, out_stacks=(1, ))
    kinds = [type(module) for module in fast.modules()]
    # One norm for each bottleneck: 3 in the stem, and in each of 2 stacks
    # 3 a level at depth 2, 1 at the bottom and 1 after it.
    assert kinds.count(nn.BatchNorm2d) == 3 + 2 * (3 * 2 + 1 + 1)
    # Three convolutions for each bottleneck, the stem's two that change
    # channels (4 to 8, 8 to 16), the stem's own, each stack's, one merge, and
    # the second stack's heatmaps.
    assert kinds.count(nn.Conv2d) == 3 * 19 + 2 + 1 + 2 + 1 + 1


def test_network_is_not_changed():
    network = trained_network()
    before = copy.deepcopy(network.state_dict())
    optimize(network)(image(1, 3, 32, 32))
    assert network.training
    assert network.stacks[0].merge_heatmaps is not None
    assert list(before) == list(network.state_dict())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_half_precision_agrees_to_its_digits():
    """bfloat16 has 8 bits: heatmaps of height 1 agree to about 1 %."""
    network = trained_network()
    x = image(2, 3, 32, 32)
    outputs = optimize(network, torch.bfloat16)(x)
    assert all(output.dtype == torch.float32 for output in outputs)
    for output, expected in zip(outputs, outputs_of(network, x)):
        error = (output - expected).abs().max() / expected.abs().max()
        assert 1e-4 < error < 0.03


def test_norms_keep_float32():
    """A rounded running mean of 100.2 would be 100 in bfloat16."""
    network = trained_network()
    norm = network.stem.residual1.norm1
    norm.running_mean.fill_(100.2)
    fast = optimize(network, torch.bfloat16)
    kept = fast.stem.residual1.norm1.running_mean
    assert kept.dtype == torch.float32 and kept[0] == norm.running_mean[0]
    assert fast.stem.conv.weight.dtype == torch.bfloat16


@pytest.mark.parametrize('threads, count, sizes', [
    (1, 3, [1, 1, 1]),
    (2, 5, [2, 2, 1]),
    (4, 2, [2]),
    (8, 3, [4]),  # compiled for powers of two only
    (6, 11, [6, 6]),
    (4, 0, [0]),
])
def test_batches_in_pieces_of_one_image_per_thread(threads, count, sizes,
                                                   monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    network = trained_network()
    fast = optimize(network)
    pieces = []
    stem = fast._compiled[0]
    fast._compiled[0] = lambda x: (pieces.append(len(x)), stem(x))[1]
    x = image(count, 3, 32, 32)
    assert_all_close(fast(x), outputs_of(network, x))
    assert pieces == sizes


def test_gradients_are_not_recorded():
    x = image(1, 3, 32, 32).requires_grad_()
    assert not any(o.requires_grad for o in optimize(trained_network())(x))


def test_training_is_refused():
    fast = optimize(trained_network())
    assert not fast.training
    fast.eval()
    with pytest.raises(ValueError):
        fast.train()


@pytest.mark.parametrize('arguments', [
    (nn.Conv2d(3, 3, 1), ),
    (small_network(), torch.int8),
    (small_network(norm_cfg=dict(type='BN', track_running_stats=False)), ),
])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError):
        optimize(*arguments)


def test_unsupported_dtype_is_refused(monkeypatch):

    def conv2d(*_):
        raise RuntimeError('"slow_conv2d_cpu" not implemented for \'Half\'')

    monkeypatch.setattr(nn.functional, 'conv2d', conv2d)
    with pytest.raises(ValueError) as raised:
        optimize(small_network(), torch.float16)
    assert 'torch.float16' in str(raised.value)


def test_times_grow_from_stack_to_stack():
    fast = optimize(trained_network(num_stacks=3))
    assert fast.seconds_per_image() == []
    fast.measures_time = True
    fast(image(2, 3, 32, 32))
    times = fast.seconds_per_image()
    assert len(times) == 3 and 0 < times[0] < times[1] < times[2]


def test_compiled_with_every_stack_of_its_own(monkeypatch):
    """More stacks than versions that torch keeps of one piece of code."""
    torch.compiler.reset()
    compiled = []

    def count_graphs(graph, example):
        compiled.append(graph)
        return graph.forward

    monkeypatch.setattr(
        torch, 'compile', lambda forward, **_: COMPILE(
            forward, backend=count_graphs, fullgraph=True))
    network = trained_network(num_stacks=3, depth=1)
    x = image(1, 3, 32, 32)
    with torch._dynamo.config.patch(cache_size_limit=1):
        fast = optimize(network, example=x)
        assert len(compiled) == 4  # stem and stacks, by the example
        assert_all_close(fast(x), outputs_of(network, x))
        assert len(compiled) == 4


def test_compiled_by_torchs_compiler(monkeypatch):
    monkeypatch.setattr(torch, 'compile', COMPILE)
    torch.compiler.reset()
    network = trained_network(depth=1, num_stacks=1)
    x = image(2, 3, 32, 32)
    fast = optimize(network, example=x)
    assert_all_close(fast(x), outputs_of(network, x))
    assert fast._compiled


def test_without_a_compiler(monkeypatch):

    def compile_(forward, **_):

        def fail(*args):
            raise RuntimeError('No working C++ compiler found\nmore')

        return fail

    said = []
    monkeypatch.setattr(torch, 'compile', compile_)
    monkeypatch.setattr(inference, 'print_log',
                        lambda message, *_: said.append(message))
    network = trained_network()
    x = image(2, 3, 32, 32)
    fast = optimize(network)
    for _ in range(2):
        assert_all_close(fast(x), outputs_of(network, x))
    (message, ) = said  # once for all parts
    assert 'No working C++ compiler found' in message


def test_errors_of_the_network_are_raised(monkeypatch):
    fast = optimize(trained_network())
    with pytest.raises(RuntimeError):
        fast(image(1, 4, 32, 32))  # a channel too many
    assert fast._compiled
