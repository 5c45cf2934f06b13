"""The network is plain PyTorch: export, tracing, ONNX and compilation."""
import pytest
import torch
from small_network import image, small_network, train_steps

TORCH = tuple(int(number) for number in torch.__version__.split('.')[:2])


@pytest.mark.filterwarnings('ignore:.*jit.*deprecated:DeprecationWarning')
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
def test_jit_trace():
    network = small_network().eval()
    traced = torch.jit.trace(network, image(2, 3, 32, 48))
    x = image(5, 3, 32, 48, seed=2)
    torch.testing.assert_close(traced(x), network(x))


@pytest.mark.skipif(
    not hasattr(torch.export, 'Dim'),
    reason='torch 2.1 exports fixed sizes only')
def test_features_are_exported_for_any_batch_size():
    # Heatmaps are in test_export.py.
    network = small_network(num_keypoints=None, out_stacks=[-1]).eval()
    program = torch.export.export(
        network, (image(2, 3, 32, 48), ),
        dynamic_shapes={'image': {
            0: torch.export.Dim('batch', min=1, max=64)
        }})
    x = image(5, 3, 32, 48, seed=2)
    torch.testing.assert_close(program.module()(x), network(x))


@pytest.mark.filterwarnings('ignore')  # the exporter's own, by the dozen
def test_torchs_default_exporter_to_onnx(tmp_path):
    # tools/export_onnx.py takes the older one: see test_export.py.
    pytest.importorskip('onnxscript')
    onnxruntime = pytest.importorskip('onnxruntime')
    network = small_network(num_stacks=1, depth=1).eval()
    path, x = str(tmp_path / 'network.onnx'), image(2, 3, 16, 24)
    torch.onnx.export(network, (x, ), path, input_names=['image'])
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    output, = session.run(None, {'image': x.numpy()})
    # Other kernels, 32-bit sums: a hundred times the rounding error.
    torch.testing.assert_close(
        torch.from_numpy(output), network(x)[0], rtol=1e-4, atol=1e-4)


def test_compiled_training_in_one_graph():
    # The whole route but the generation of machine code. With checkpoints
    # torch 2.1 cannot compile it, and 2.8 counts each batch twice in the
    # running statistics; versions up to 2.12 were not tried.
    torch._dynamo.reset()
    network = small_network(depth=1, with_cp=TORCH >= (2, 13))
    plain = small_network(depth=1)
    compiled = torch.compile(network, backend='aot_eager', fullgraph=True)
    torch.testing.assert_close(
        train_steps(compiled, network), train_steps(plain, plain))
    torch.testing.assert_close(network.state_dict(), plain.state_dict())
