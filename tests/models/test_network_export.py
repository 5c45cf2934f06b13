"""The network is plain PyTorch: export, tracing, ONNX and compilation."""
import pytest
import torch
from small_network import image, small_network, train_steps

TORCH = tuple(int(number) for number in torch.__version__.split('.')[:2])


@pytest.mark.skipif(
    not hasattr(torch.export, 'Dim'),
    reason='torch 2.1 exports fixed sizes only')
def test_features_are_exported_for_any_batch_size():
    # Heatmaps are in test_export.py.
    network = small_network(num_keypoints=None, out_stacks=[-1]).eval()
    batch = torch.export.Dim('batch', min=1, max=64)
    program = torch.export.export(
        network, (image(2, 3, 32, 48), ), dynamic_shapes={'image': {
            0: batch
        }})
    x = image(5, 3, 32, 48, seed=2)
    (output, ), (expected, ) = program.module()(x), network(x)
    torch.testing.assert_close(output, expected)


@pytest.mark.filterwarnings('ignore:.*jit.*deprecated:DeprecationWarning')
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
def test_jit_trace():
    network = small_network().eval()
    traced = torch.jit.trace(network, image(2, 3, 32, 48))
    x = image(5, 3, 32, 48, seed=2)
    for output, expected in zip(traced(x), network(x)):
        torch.testing.assert_close(output, expected)


@pytest.mark.filterwarnings('ignore')  # the exporter's own, by the dozen
def test_torchs_default_exporter_to_onnx(tmp_path):
    # tools/export_onnx.py takes the older one: see test_export.py.
    for package in ('onnx', 'onnxscript'):
        pytest.importorskip(package)
    onnxruntime = pytest.importorskip('onnxruntime')
    network = small_network(depth=1).eval()
    path = str(tmp_path / 'network.onnx')
    torch.onnx.export(
        network, (image(2, 3, 32, 48), ),
        path,
        input_names=['image'],
        output_names=['stack_1', 'stack_2'],
        dynamic_axes={'image': {
            0: 'batch'
        }})
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    assert [o.name for o in session.get_outputs()] == ['stack_1', 'stack_2']
    x = image(5, 3, 32, 48, seed=2)
    with torch.no_grad():
        expected = network(x)
    for output, reference in zip(
            session.run(None, {'image': x.numpy()}), expected):
        # Other kernels, 32-bit sums: a hundred times the rounding error.
        torch.testing.assert_close(
            torch.from_numpy(output), reference, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('with_cp', [
    False,
    pytest.param(
        True,
        marks=pytest.mark.skipif(
            TORCH < (2, 13),
            reason='torch 2.1 cannot compile it, 2.8 counts each batch twice '
            'in the running statistics; versions up to 2.12 were not tried'))
])
def test_compiled_training_in_one_graph(with_cp):
    # The whole route but the generation of machine code.
    torch._dynamo.reset()
    network = small_network(depth=1, with_cp=with_cp)
    compiled = torch.compile(network, backend='aot_eager', fullgraph=True)
    plain = small_network(depth=1)
    for ours, reference in zip(
            train_steps(compiled, network), train_steps(plain, plain)):
        torch.testing.assert_close(ours, reference)
    for (name, ours), reference in zip(network.state_dict().items(),
                                       plain.state_dict().values()):
        torch.testing.assert_close(ours, reference, msg=name)
