"""``--fast`` gives the results that the tools give without."""
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    """Do not compile: tests/inference/test_optimize.py does."""
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)


def test_scores_and_their_table(call_tool, trained, tmp_path, capsys):
    config = Config.fromfile(trained.config)
    config.model.backbone.num_stacks = 2
    init_default_scope('mmpose')
    torch.manual_seed(0)
    weights = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'two.pth')

    def score(*arguments):
        out = tmp_path / 'scores.json'
        call_tool('test', trained.config, tmp_path / 'two.pth', '--work-dir',
                  tmp_path, '--out', out, *arguments, '--cfg-options',
                  'model.backbone.num_stacks=2')
        return json.loads(out.read_text())

    scored = score()
    capsys.readouterr()
    assert score('--fast') == scored
    assert 'Scores and time per image' in capsys.readouterr().out


def test_predictions_are_the_same(trained, call_tool, tmp_path):
    joints = []
    for name, fast in (('plain', []), ('fast', ['--fast'])):
        call_tool('predict', trained.folder / 'images' / 'val0.png',
                  trained.config, trained.checkpoint, '--out', tmp_path / name,
                  *fast)
        written = (tmp_path / name / 'predictions.json').read_text()
        image, = json.loads(written)['predictions']
        joints.append(image['people'][0]['keypoints'])
    # Written with two decimals of a pixel.
    np.testing.assert_allclose(*joints, atol=0.011)


@pytest.mark.parametrize('tool', ['test', 'predict'])
def test_another_network_is_refused(tool, error_of, trained, tmp_path):
    images = [trained.folder / 'images'] if tool == 'predict' else []
    error = error_of(tool, *images, trained.config, trained.checkpoint,
                     '--fast', '--cfg-options', 'model.backbone.type=ResNet')
    assert '--fast' in error and 'ResNet' in error
