"""The network is plain PyTorch: torch.export and ONNX."""
import pytest
import torch
from small_network import image, small_network


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
