"""The export tools refuse what they cannot write, and leave nothing behind.

docs/deploy.md is followed in tests/docs/test_deploy_page.py.
"""
import sys

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.compat.versions import can_export_programs
from hourglass_plugin.inference import export_files as exported_files

TOOLS = [
    'export_onnx',
    pytest.param(
        'export_torch',
        marks=pytest.mark.skipif(
            not can_export_programs(), reason='needs torch 2.6'))
]
SUFFIX = dict(export_onnx='.onnx', export_torch='.pt2')


@pytest.fixture(scope='module')
def flat(project):
    """A checkpoint whose heatmaps are all zero."""
    init_default_scope('mmpose')
    model = MODELS.build(load_config(str(project.config)).model)
    for stack in model.backbone.stacks:
        torch.nn.init.zeros_(stack.heatmaps.weight)
    path = project.folder / 'flat.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.mark.parametrize('tool', TOOLS)
def test_a_name_of_another_kind_is_refused(tool, error_of, project, flat,
                                           tmp_path):
    error = error_of(tool, project.config, flat, tmp_path / 'model.pth')
    assert error == (f'{tmp_path / "model.pth"}: the name must end in '
                     f'{SUFFIX[tool]}')


@pytest.mark.parametrize('tool', TOOLS)
def test_weights_of_another_model_are_refused(tool, error_of, project,
                                              tmp_path):
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict=torch.nn.Linear(2, 3).state_dict()), other)
    error = error_of(tool, project.config, other,
                     tmp_path / f'model{SUFFIX[tool]}')
    assert 'other.pth' in error
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize('missing', [['onnxruntime'], ['onnx', 'onnxruntime']])
def test_missing_packages_are_named(missing, error_of, project, flat,
                                    tmp_path, monkeypatch):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    error = error_of('export_onnx', project.config, flat,
                     tmp_path / 'model.onnx')
    assert error.endswith(f': pip install {" ".join(missing)}')


def test_an_old_torch_is_named(error_of, project, flat, tmp_path, monkeypatch):
    monkeypatch.setattr(exported_files, 'can_export_programs', lambda: False)
    error = error_of('export_torch', project.config, flat,
                     tmp_path / 'model.pt2')
    assert torch.__version__ in error and 'export_onnx.py' in error


def test_what_cannot_be_compared_is_not_written(error_of, call_tool, project,
                                                flat, tmp_path, capsys):
    path = tmp_path / 'model.onnx'
    error = error_of('export_onnx', project.config, flat, path, '--decode')
    assert '126 of 126 keypoints are so flat' in error
    assert not list(tmp_path.iterdir())
    # Heatmaps that are zero can be compared.
    call_tool('export_onnx', project.config, flat, path)
    assert '126 of 126 heatmaps' in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_compiler_there_is_no_package(error_of, project, flat,
                                                tmp_path, monkeypatch):
    if not can_export_programs():
        pytest.skip('needs torch 2.6')

    def compile_nothing(*args, **kwargs):
        raise RuntimeError('No working C++ compiler found\nand so on')

    monkeypatch.setattr(torch._inductor, 'aoti_compile_and_package',
                        compile_nothing)
    error = error_of('export_torch', project.config, flat,
                     tmp_path / 'model.pt2', '--aot-inductor')
    assert error.endswith('a C++ compiler: No working C++ compiler found')
    assert not list(tmp_path.iterdir())
