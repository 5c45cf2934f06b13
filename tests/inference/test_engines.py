"""An accelerated network computes the same."""
import copy
import importlib.util
from types import SimpleNamespace

import pytest
import torch
from fresh_interpreter import run_python
from small_estimator import assert_same, build, predict
from small_network import image, small_network
from torch import nn

from hourglass_plugin.inference import accelerate, engines
from hourglass_plugin.inference.engines import (
    AcceleratedNetwork,
    FastInferenceHook,
    check_precision,
)
from hourglass_plugin.models import StackedHourglass

try:
    check_precision('bfloat16')
    HAS_BFLOAT16 = True
except ValueError:
    HAS_BFLOAT16 = False


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'hourglass_plugin'


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


def assert_outputs(fast, network, x):
    outputs = fast(x)
    # Reordered float32 sums of the small network's heatmaps, of height about
    # 1: some 20 convolutions deep, each rounds by 2^-24.
    torch.testing.assert_close(
        outputs, outputs_of(network, x), atol=1e-5, rtol=1e-5)
    assert not any(output.requires_grad for output in outputs)


def relative_error(outputs, expected):
    outputs, expected = torch.stack(outputs), torch.stack(expected)
    return ((outputs - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize('options', [
    dict(),
    dict(num_keypoints=None),
    dict(num_stacks=1),
    dict(num_stacks=3, out_stacks=(0, 2), num_blocks=2),
    dict(inner_heatmaps=1),
    dict(stem_channels=(6, 12, 16)),
    dict(norm_cfg=dict(type='SyncBN')),
    dict(norm_cfg=dict(type='BN', affine=False)),
    dict(norm_cfg=dict(type='GN', num_groups=2))])
def test_same_outputs_and_unchanged_network(options):
    network = trained_network(**options)
    before = copy.deepcopy(network.state_dict())
    fast = accelerate(network, num_threads=1)
    assert_outputs(fast, network, image(3, 3, 32, 48).requires_grad_())
    assert network.training
    assert list(before) == list(network.state_dict())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key
    with pytest.raises(ValueError):
        fast(image(1, 3, 40, 32))  # no multiple of 16


def test_images_of_any_number_and_size():
    network = trained_network()
    fast = accelerate(network, example=image(2, 3, 32, 32))
    for size in ((2, 32, 32), (1, 48, 31), (22, 32, 32)):
        x = image(size[0], 3, *size[1:])
        assert_outputs(fast, network, x)
        assert_outputs(fast, network,
                       x.to(memory_format=torch.channels_last))
    kept = fast(x)
    before = copy.deepcopy(kept)
    fast(1 - x)
    assert all(map(torch.equal, kept, before))


def test_any_module_from_a_tensor_to_a_tuple():

    class Network(nn.Module):

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 1)

        def forward(self, x):
            return (self.conv(x).relu(), )

    network = Network()
    assert_outputs(accelerate(network), network, image(2, 2, 5, 7))


def test_stacks_after_the_last_returned_one_are_not_computed():
    network = trained_network(num_stacks=3)
    stack = len(engines._convolutions(engines._traced(
        trained_network(num_stacks=1))))
    network.out_stacks = (0, )
    assert len(engines._convolutions(engines._traced(network))) == stack
    assert_outputs(accelerate(network), network, image(2, 3, 32, 32))


@pytest.mark.skipif(not HAS_BFLOAT16, reason='this CPU has no bfloat16')
def test_bfloat16_agrees_to_its_digits():
    """bfloat16 has 8 bits: heatmaps of height 1 agree to about 1 %."""
    network = trained_network()
    x = image(2, 3, 32, 32)
    outputs = accelerate(network, 'bfloat16')(x)
    assert {output.dtype for output in outputs} == {torch.float32}
    assert 1e-4 < relative_error(outputs, outputs_of(network, x)) < 0.03


def test_int8_agrees_to_its_digits():
    """Inputs and weights of each convolution are rounded to 1/255."""
    network = trained_network(feat_channels=16)
    x = image(4, 3, 32, 32)
    # Longer than what is read; images of different sizes.
    calibration = [*x, x[0, :, :16, :16]]
    outputs = accelerate(network, 'int8', calibration=calibration)(x)
    assert {output.dtype for output in outputs} == {torch.float32}
    # Some 20 roundings follow each other.
    assert 1e-4 < relative_error(outputs, outputs_of(network, x)) < 0.1


def test_int8_ranges_are_those_of_the_calibration_images():
    network = nn.Conv2d(1, 2, 1)
    network.weight.data = torch.tensor([1.0, -0.004]).view(2, 1, 1, 1)
    network.bias.data.zero_()
    graph = engines._traced(network)
    engines._quantized(graph, [torch.tensor([[[0.0, 2.0]]])])
    low, high = zip(*(
        [node.input_value(index).get_node().get_data().max()
         for index in (1, 2)] for node in graph.get_ordered_ops()
        if node.get_type_name() == 'FakeQuantize'))
    # Of the input, and the largest of the weights' two.
    assert sorted(low) == pytest.approx([-0.004, 0])
    assert sorted(high) == pytest.approx([1, 2])


def test_compiled_network_is_cached(cache, monkeypatch):
    network, x = trained_network(), image(2, 3, 32, 32)
    first = accelerate(network)(x)
    file, = cache.iterdir()

    def trace(_):
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(engines, '_traced', trace)
        again = accelerate(network)(x)
        assert all(map(torch.equal, first, again))
        other, shorter = copy.deepcopy(network), copy.copy(network)
        other.stem.conv.bias.data[0] += 1
        shorter.out_stacks = (0, )
        for changed in (dict(network=other), dict(network=shorter),
                        dict(num_threads=3), dict(example=x[:1]),
                        dict(precision='int8', calibration=x)):
            with pytest.raises(InterruptedError):
                accelerate(**{'network': network, 'example': x, **changed})
    file.write_bytes(b'damaged')
    assert_outputs(accelerate(network), network, x)
    assert file.stat().st_size > 1000


def test_signals_are_handled_after_networks_are_gone():
    # With AMX OpenVINO gives the thread another stack for its handlers.
    handled, _ = run_python('''
import faulthandler, signal
import torch
from torch import nn
from hourglass_plugin.inference import accelerate

faulthandler.enable()
image = torch.zeros(1, 3, 8, 8)
networks = [accelerate(nn.Conv2d(3, 8, 3), precision, image)
            for precision in ('float32', 'bfloat16')]
while networks:  # the oldest first
    networks.pop(0)
result = []
signal.signal(signal.SIGCHLD, lambda *arguments: result.append(1))
signal.raise_signal(signal.SIGCHLD)
''')
    assert handled == [1]


def test_cache_that_cannot_be_written_is_left_out(tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file' / 'folder'))
    network = trained_network()
    assert_outputs(accelerate(network), network, image(1, 3, 32, 32))


@pytest.mark.parametrize('options', [
    dict(precision='float16'),
    dict(precision='int8'),
    dict(precision='int8', calibration=[]),
    # These would be computed from a part of the batch.
    dict(network=small_network(
        norm_cfg=dict(type='BN', track_running_stats=False)))])
def test_wrong_arguments(options):
    with pytest.raises(ValueError):
        accelerate(**{'network': small_network(), **options})
    with pytest.raises(ValueError):
        FastInferenceHook('float16')


@pytest.mark.parametrize('precision', ['bfloat16', 'float32'])
def test_what_the_machine_lacks_is_an_error(precision, monkeypatch):
    if precision == 'bfloat16':
        monkeypatch.setattr(engines, 'openvino_core', lambda: SimpleNamespace(
            get_property=lambda *_: ['FP32', 'INT8']))
    else:
        monkeypatch.setattr(importlib.util, 'find_spec', lambda _: None)
    with pytest.raises(ValueError) as raised:
        accelerate(small_network(), precision)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('options', [
    dict(), dict(feedback=False), dict(eval_stack=0),
    dict(eval_stack=0, eval_all_stacks=True)])
def test_a_model_predicts_the_same(options, cache):
    model, plain = (build(flip_test=True, **options) for _ in range(2))
    model.backbone = accelerate(model.backbone)
    assert_same(predict(model), predict(plain))
    assert list(cache.iterdir())


def test_a_gpu_gets_torchs_compiler(monkeypatch):
    compiled = nn.Identity()
    monkeypatch.setattr(torch, 'compile', lambda network: compiled)
    network = small_network().to('meta')  # in place of a GPU
    assert accelerate(network) is compiled
    with pytest.raises(ValueError):
        accelerate(network, 'int8')


class Model(nn.Module):

    def __init__(self):
        super().__init__()
        self.backbone = small_network()

    def data_preprocessor(self, batch):
        return dict(inputs=torch.stack(batch['inputs']).float() / 255)


@pytest.mark.parametrize('precision, read', [('float32', 0), ('int8', 2)])
def test_the_model_has_its_backbone_back_after_a_test(precision, read):
    """tests/tools has the hook in use."""
    batches = []

    def loader():
        for index in range(9):
            batches.append(index)
            yield dict(inputs=list(torch.randint(0, 256, (30, 3, 16, 16))))

    runner = SimpleNamespace(model=Model(), test_dataloader=loader())
    hook = FastInferenceHook(precision)
    hook.before_test(runner)
    assert len(batches) == read  # 32 images are enough
    assert isinstance(runner.model.backbone, AcceleratedNetwork)
    hook.after_test(runner)
    assert isinstance(runner.model.backbone, StackedHourglass)
