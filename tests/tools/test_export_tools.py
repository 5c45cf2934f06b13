"""The export tools refuse what they cannot write, and leave nothing behind."""
import sys

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.compat.versions import can_export_programs
from hourglass_plugin.inference import export

TOOLS = [('export_onnx', '.onnx'),
         pytest.param('export_torch', '.pt2', marks=pytest.mark.skipif(
             not can_export_programs(), reason='needs torch 2.6'))]


@pytest.fixture(scope='module')
def flat(project, tmp_path_factory):
    """A checkpoint whose heatmaps are all zero."""
    init_default_scope('mmpose')
    model = MODELS.build(load_config(str(project.config)).model)
    for stack in model.backbone.stacks:
        torch.nn.init.zeros_(stack.heatmaps.weight)
    path = tmp_path_factory.mktemp('flat') / 'flat.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.mark.parametrize('tool, suffix', TOOLS)
def test_wrong_names_and_weights_are_refused(tool, suffix, error_of, project,
                                             flat, tmp_path):
    wrong, other = tmp_path / 'model.pth', tmp_path / 'other.pth'
    assert suffix in error_of(tool, project.config, flat, wrong)
    torch.save(dict(state_dict=torch.nn.Linear(2, 3).state_dict()), other)
    assert 'other.pth' in error_of(tool, project.config, other,
                                   tmp_path / f'model{suffix}')
    assert list(tmp_path.iterdir()) == [other]


def test_missing_packages_and_old_torch_are_named(error_of, project, flat,
                                                  tmp_path, monkeypatch):
    for missing in ('onnxruntime', 'onnx'):
        monkeypatch.setitem(sys.modules, missing, None)
        assert 'pip install' in error_of('export_onnx', project.config, flat,
                                         tmp_path / 'model.onnx')
    monkeypatch.setattr(export, 'can_export_programs', lambda: False)
    assert torch.__version__ in error_of('export_torch', project.config, flat,
                                         tmp_path / 'model.pt2')


def test_flat_heatmaps_are_not_decoded(error_of, call_tool, project, flat,
                                       tmp_path, capsys):
    path = tmp_path / 'model.onnx'
    error = error_of('export_onnx', project.config, flat, path, '--decode')
    assert '126 of 126' in error
    assert not list(tmp_path.iterdir())
    # Heatmaps that are zero can be compared.
    call_tool('export_onnx', project.config, flat, path)
    assert '126 of 126 heatmaps' in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]
