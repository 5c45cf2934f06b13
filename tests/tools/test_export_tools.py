"""The export tools refuse what they cannot write, and leave nothing behind."""
import sys

import pytest
import torch

from hourglass_plugin.inference import export


@pytest.mark.parametrize('tool, written, hidden, named', [
    ('export_onnx', 'model.pth', None, '.onnx'),
    ('export_torch', 'model.pth', None, '.pt2'),
    ('export_onnx', 'model.onnx', 'onnx', 'pip install'),
    ('export_onnx', 'model.onnx', 'onnxruntime', 'pip install'),
    ('export_torch', 'model.pt2', None, torch.__version__),
])
def test_wrong_names_missing_packages_and_old_torch_are_named(
        tool, written, hidden, named, error_of, trained, tmp_path,
        monkeypatch):
    if hidden is not None:
        monkeypatch.setitem(sys.modules, hidden, None)
    monkeypatch.setattr(export, 'can_export_programs', lambda: False)
    assert named in error_of(tool, trained.config, trained.checkpoint,
                             tmp_path / written)
    assert not list(tmp_path.iterdir())


def test_flat_heatmaps_are_not_decoded(error_of, call_tool, save_untrained,
                                       project, tmp_path, capsys):
    flat, path = tmp_path / 'flat.pth', tmp_path / 'model.onnx'
    save_untrained(project.config, flat, heatmaps=0)
    error = error_of('export_onnx', project.config, flat, path, '--decode')
    assert '126 of 126' in error
    assert not path.exists()
    # Heatmaps that are zero can be compared.
    call_tool('export_onnx', project.config, flat, path)
    assert '126 of 126 heatmaps' in capsys.readouterr().out
