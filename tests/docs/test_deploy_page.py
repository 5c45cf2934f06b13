"""docs/deploy.md, followed with a small network and a drawn photograph."""
import importlib.util
import json

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from page import commands, follow, page_text, python_examples, run_python

from hourglass_plugin.compat.versions import can_export_programs
from hourglass_plugin.inference.export_files import load_model

PAGE = page_text('docs/deploy.md')
COMMANDS = [line for line in commands(PAGE) if line.startswith('python ')]
PROGRAM, PACKAGE, EXECUTORCH = python_examples(PAGE)

needs_programs = pytest.mark.skipif(
    not can_export_programs(), reason='torch.export needs torch 2.6')


@pytest.fixture(scope='module')
def reader(clone):
    """The page's reader: a network, a photograph, a way to follow."""
    rng = np.random.default_rng(0)
    photograph = rng.integers(40, 90, (140, 150, 3), np.uint8)
    photograph = cv2.GaussianBlur(photograph, None, 2)
    for x, y in ((70, 20), (70, 60), (50, 70), (90, 75), (60, 120), (80, 118)):
        cv2.circle(photograph, (x, y), 6, (40, 200, 240), -1)
    cv2.imwrite(str(clone / 'photograph.jpg'), photograph)

    (clone / 'small.py').write_text("""
_base_ = ['configs/body_2d_keypoint/topdown_heatmap/lspet/td-hm_hg1-w128_1xb16-12e_lspet-128x128.py']
model = dict(backbone=dict(feat_channels=16, depth=1))
""")
    # Not trained, but with heatmaps that have maxima.
    torch.manual_seed(0)
    init_default_scope('mmpose')
    model = MODELS.build(Config.fromfile(str(clone / 'small.py')).model)
    for stack in model.backbone.stacks:
        stack.heatmaps.reset_parameters()
    torch.save(dict(state_dict=model.state_dict()), clone / 'small.pth')

    def run(command):
        command = command.replace('CONFIG', 'small.py')
        return follow(command.replace('CHECKPOINT', 'small.pth'), clone)

    run.folder = clone
    return run


def command_with(*parts):
    """The one command of the page that has all these parts."""
    (found, ) = [
        line for line in COMMANDS if all(part in line for part in parts)
    ]
    return found


def test_the_pages_commands_are_all_there():
    assert [line.split()[1] for line in COMMANDS] == [
        'tools/export_onnx.py', 'tools/export_onnx.py',
        'docs/examples/run_onnx.py', 'tools/predict.py',
        'tools/export_torch.py', 'tools/export_torch.py'
    ]


def test_the_first_file_is_what_the_page_says(reader):
    printed = reader(command_with('export_onnx', 'model.onnx'))
    example = PAGE[PAGE.index('```text\nmodel.onnx'):].splitlines()[1:5]
    for line, shown in zip(printed.splitlines(), example):
        assert line.split(':')[0] == shown.split(':')[0]
    assert 'image (batch, 3, 128, 128) float32' in printed
    session = onnxruntime.InferenceSession(str(reader.folder / 'model.onnx'))
    names = session.get_modelmeta().custom_metadata_map
    listed = PAGE[PAGE.index('**Metadata**'):].splitlines()[0]
    assert all(f'`{name}`' in listed for name in names)
    assert listed.count('`') == 2 * len(names)


def test_without_torch_keypoints_are_those_of_predict(reader):
    reader(command_with('export_onnx', 'accurate.onnx'))
    printed = reader(command_with('run_onnx'))
    reader(command_with('predict'))
    result = json.loads(
        (reader.folder / 'predictions' / 'predictions.json').read_text())
    (person, ) = result['predictions'][0]['people']
    lines = printed.splitlines()
    assert [line.split()[0] for line in lines] == result['joints']
    found = np.array([line.split()[1:] for line in lines], float)
    # Different keypoints, and none in the middle of its crop.
    assert np.ptp(found[:, :2], axis=0).min() > 10
    # Both are written with two digits, scores with four.
    np.testing.assert_allclose(
        found[:, :2], np.array(person['keypoints'])[:, :2], atol=0.0101)
    np.testing.assert_allclose(
        found[:, 2], np.array(person['keypoints'])[:, 2], rtol=0, atol=1.01e-4)


def expected(reader, images):
    """Keypoints of images by PyTorch."""
    module, _ = load_model(
        Config.fromfile(str(reader.folder / 'small.py')),
        str(reader.folder / 'small.pth'),
        decode=True)
    with torch.no_grad():
        return module(images)


@needs_programs
def test_a_program_is_loaded_and_run(reader, monkeypatch):
    reader(command_with('export_torch', 'model.pt2'))
    monkeypatch.chdir(reader.folder)
    names = run_python(PROGRAM)
    assert names['keypoints'].shape == (2, 14, 3)
    torch.testing.assert_close(names['keypoints'],
                               expected(reader, names['images']))
    assert json.loads(names['metadata']['input_size']) == [128, 128]


@needs_programs
@pytest.mark.skipif(
    importlib.util.find_spec('executorch') is None,
    reason='executorch is not installed')
def test_executorch_takes_the_program(reader, monkeypatch):
    reader(command_with('export_torch', 'model.pt2'))
    monkeypatch.chdir(reader.folder)
    method = run_python(EXECUTORCH)['method']
    images = torch.rand(3, 3, 128, 128)
    torch.testing.assert_close(
        method.execute([images])[0],
        expected(reader, images),
        atol=1e-3,
        rtol=0)


@needs_programs
def test_a_package_is_loaded_and_run(reader, monkeypatch):
    reader(command_with('--aot-inductor'))
    monkeypatch.chdir(reader.folder)
    model = run_python(PACKAGE)['model']
    images = torch.rand(3, 3, 128, 128)
    # Heatmaps of untrained weights are flatter, so that rounding moves their
    # maximum by more than the 1e-4 that trained ones allow.
    torch.testing.assert_close(
        model(images), expected(reader, images), atol=1e-2, rtol=0)
