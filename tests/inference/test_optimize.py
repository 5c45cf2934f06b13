"""An optimized network computes the same."""
import copy

import pytest
import torch
from small_estimator import assert_same, build, images, predict
from small_network import image, small_network
from torch import nn

from hourglass_plugin.inference import optimize as inference
from hourglass_plugin.inference.optimize import optimize, optimize_model

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


def assert_outputs(fast, network, x, indices=None):
    with torch.no_grad():
        expected = copy.deepcopy(network).eval()(x)
    outputs = fast(x)
    indices = range(len(expected)) if indices is None else indices
    assert len(outputs) == len(indices)
    for output, index in zip(outputs, indices):
        # Reordered float32 sums of the small network's heatmaps, of height
        # about 1: some 20 convolutions deep, each rounds by 2^-24.
        torch.testing.assert_close(
            output, expected[index], atol=1e-5, rtol=1e-5)
        assert not output.requires_grad


@pytest.mark.parametrize('options', [
    dict(),
    dict(num_keypoints=None),
    dict(num_stacks=1),
    dict(num_stacks=3, out_stacks=(0, 2), num_blocks=2),
    dict(inner_heatmaps=1),
    dict(stem_channels=(6, 12, 16)),
    dict(norm_cfg=dict(type='SyncBN')),
    dict(norm_cfg=dict(type='BN', affine=False)),
    dict(norm_cfg=dict(type='GN', num_groups=2)),
])
def test_same_outputs_and_unchanged_network(options):
    network = trained_network(**options)
    before = copy.deepcopy(network.state_dict())
    fast = optimize(network)
    assert_outputs(fast, network, image(3, 3, 32, 48).requires_grad_())
    assert network.training and not fast.training
    assert list(before) == list(network.state_dict())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key
    with pytest.raises(ValueError):
        fast(image(1, 3, 40, 32))  # no multiple of 16
    with pytest.raises(ValueError):
        fast.train()


@pytest.mark.parametrize('out_stacks, indices', [
    ((0, ), [0]),
    ((-1, ), [2]),
    ((0, -2), [0, 1]),
    ([0, 1, 2], [0, 1, 2]),
])
def test_chosen_stacks(out_stacks, indices):
    network = trained_network(num_stacks=3)
    fast = optimize(network, out_stacks=out_stacks)
    assert_outputs(fast, network, image(2, 3, 32, 32), indices)
    assert fast.out_stacks == tuple(indices)
    assert len(fast.stacks) == indices[-1] + 1  # nothing comes after


def test_half_precision_agrees_to_its_digits():
    """bfloat16 has 8 bits: heatmaps of height 1 agree to about 1 %."""
    network = trained_network()
    norm = network.stem.residual1.norm1
    norm.running_mean[0] = 100.2  # 100 in bfloat16
    x = image(2, 3, 32, 32)
    fast = optimize(network, torch.bfloat16)
    assert fast.stem.conv.weight.dtype == torch.bfloat16
    assert torch.equal(fast.stem.residual1.norm1.running_mean,
                       norm.running_mean)
    with torch.no_grad():
        outputs, expected = fast(x), network.eval()(x)
    for output, other in zip(outputs, expected):
        assert output.dtype == torch.float32
        error = (output - other).abs().max() / other.abs().max()
        assert 1e-4 < error < 0.03


@pytest.mark.parametrize('threads, count, sizes', [
    (1, 3, [1, 1, 1]),
    (2, 5, [2, 2, 1]),
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
    fast.stem.register_forward_hook(lambda _, x, y: pieces.append(len(y)))
    fast._compiled[0] = fast.stem
    assert_outputs(fast, network, image(count, 3, 32, 32))
    assert pieces == sizes


@pytest.mark.parametrize('network, options', [
    (nn.Conv2d(3, 3, 1), {}),
    (small_network(), dict(dtype=torch.int8)),
    (small_network(norm_cfg=dict(type='BN', track_running_stats=False)), {}),
    *((small_network(num_stacks=3), dict(out_stacks=out_stacks))
      for out_stacks in ((3, ), (-4, ), (1, 0), (), 0)),
])
def test_wrong_arguments(network, options):
    with pytest.raises(ValueError):
        optimize(network, **options)


def test_unsupported_dtype_is_refused(monkeypatch):

    def conv2d(*_):
        raise RuntimeError('"slow_conv2d_cpu" not implemented for \'Half\'')

    monkeypatch.setattr(nn.functional, 'conv2d', conv2d)
    with pytest.raises(ValueError):
        optimize(small_network(), torch.float16)


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
        assert_outputs(fast, network, x)
        assert len(compiled) == 4


def test_compiled_by_torchs_compiler(monkeypatch):
    monkeypatch.setattr(torch, 'compile', COMPILE)
    torch.compiler.reset()
    network = trained_network(depth=1, num_stacks=1, feat_channels=8)
    x = image(2, 3, 16, 16)
    fast = optimize(network, example=x)
    assert_outputs(fast, network, x)
    assert fast._compiles


def test_without_a_compiler(monkeypatch):
    said = []

    def compile_(forward, **_):
        raise RuntimeError('No working C++ compiler found\nmore')

    monkeypatch.setattr(torch, 'compile', compile_)
    monkeypatch.setattr(inference, 'print_log',
                        lambda message, *_: said.append(message))
    network = trained_network()
    fast = optimize(network)
    for _ in range(2):
        assert_outputs(fast, network, image(2, 3, 32, 32))
    assert len(said) == 1  # for all parts


def test_errors_of_the_network_are_raised():
    fast = optimize(trained_network())
    with pytest.raises(RuntimeError):
        fast(image(1, 4, 32, 32))  # a channel too many
    assert fast._compiles


@pytest.mark.parametrize('options, computed, returned', [
    (dict(), 3, (2, )),
    (dict(feedback=False), 3, (2, )),
    (dict(eval_stack=0), 1, (0, )),
    (dict(eval_stack=0, feedback=False), 1, (0, )),
    (dict(eval_stack=1), 2, (1, )),
    (dict(eval_stack=0, eval_all_stacks=True), 3, (0, 1, 2)),
    (dict(eval_stack=0, output_heatmaps=True), 3, (0, 1, 2)),
])
def test_model_computes_no_more_than_it_decodes(options, computed, returned):
    model = build(flip_test=True, **options)
    before = dict(model.test_cfg), model.head.num_stages
    fast = optimize_model(model)
    assert len(fast.backbone.stacks) == computed
    assert fast.backbone.out_stacks == returned
    assert_same(predict(fast), predict(model))
    assert (model.test_cfg, model.head.num_stages) == before


def test_a_detector_keeps_its_head():
    detector = nn.Module()
    detector.test_cfg = dict(max_per_img=100)
    detector.backbone = build(feedback=False).backbone
    fast = optimize_model(detector)
    assert fast.test_cfg == detector.test_cfg
    assert_outputs(fast.backbone, detector.backbone, images(2))


def test_other_stacks_and_backbones_are_refused():
    other = nn.Module()
    other.backbone = nn.Conv2d(3, 3, 1)
    for model in (build(eval_stack=3), other):
        with pytest.raises(ValueError):
            optimize_model(model)
