"""``--fast`` gives what the tools give without."""
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Rewritten but not compiled: tests/models/test_inference.py compiles."""
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)


@pytest.fixture
def scores(trained, call_tool, tmp_path):
    """Call tools/test.py and return what it writes."""

    def score(*arguments, checkpoint=trained.checkpoint):
        out = tmp_path / 'scores.json'
        call_tool('test', trained.config, checkpoint, '--work-dir', tmp_path,
                  '--out', out, *arguments)
        return json.loads(out.read_text())

    return score


def test_the_same_scores(scores):
    assert scores('--fast') == scores()


def test_table_of_scores_and_times(scores, project, tmp_path,
                                              capsys):
    config = Config.fromfile(project.config)
    config.model.backbone.num_stacks = 2
    init_default_scope('mmpose')
    torch.manual_seed(0)
    torch.save(
        dict(state_dict=MODELS.build(config.model).state_dict()),
        tmp_path / 'two.pth')
    scored = scores(
        '--fast',
        '--cfg-options',
        'model.backbone.num_stacks=2',
        checkpoint=tmp_path / 'two.pth')
    table = capsys.readouterr().out.split('Scores and time per image')[1]
    header, *rows = table.splitlines()[1:4]
    assert header.split() == ['ms', 'lsp/PCK@1.5']
    for number, row in enumerate(rows, start=1):
        stack, milliseconds, percent = row.split()[1:]
        assert stack == str(number) and float(milliseconds) > 0
        assert percent == f'{scored[f"lsp/stack_{number}/PCK@1.5"]:.2f}'


def test_predictions_are_the_same(trained, call_tool, tmp_path):
    joints = []
    for name, fast in (('plain', []), ('fast', ['--fast'])):
        call_tool('predict', trained.folder / 'images' / 'val0.png',
                  trained.config, trained.checkpoint, '--out', tmp_path / name,
                  *fast)
        written = (tmp_path / name / 'predictions.json').read_text()
        (image, ) = json.loads(written)['predictions']
        joints.append(image['people'][0]['keypoints'])
    # Written with two decimals of a pixel.
    np.testing.assert_allclose(*joints, atol=0.011)


@pytest.mark.parametrize('tool', ['test', 'predict'])
def test_another_network_is_refused(tool, error_of, trained, tmp_path):
    images = [trained.folder / 'images'] if tool == 'predict' else []
    error = error_of(tool, *images, trained.config, trained.checkpoint,
                     '--fast', '--cfg-options', 'model.backbone.type=ResNet')
    assert '--fast is for a StackedHourglass' in error and 'ResNet' in error
