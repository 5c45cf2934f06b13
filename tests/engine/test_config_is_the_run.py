"""MMPose's tools/train.py and ours train the same from the same config."""
import runpy
import sys
from collections import OrderedDict
from pathlib import Path

import mmpose
import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer
from mmpose.visualization import PoseLocalVisualizer
from resuming import differences
from small_runner import SigtermHook
from tool_process import tool_path

TOOLS = {
    'mmpose': Path(mmpose.__file__).parent / '.mim' / 'tools' / 'train.py',
    'ours': tool_path('train')}
pytestmark = pytest.mark.skipif(
    not TOOLS['mmpose'].exists(), reason="MMPose's tools are not installed")


@pytest.fixture
def train(project, monkeypatch, tmp_path):
    """Train the project for two epochs of three iterations by a tool."""
    monkeypatch.chdir(tmp_path)

    def call(tool, work_dir, *arguments, config=project.config):
        for kind in (MMLogger, MessageHub, Visualizer, PoseLocalVisualizer):
            monkeypatch.setattr(kind, '_instance_dict', OrderedDict())
        monkeypatch.setattr(sys, 'argv', [
            'train.py', str(config), '--work-dir', str(work_dir), *arguments,
            '--cfg-options', 'train_cfg.max_epochs=2'])
        runpy.run_path(str(TOOLS[tool]), run_name='__main__')
        return work_dir

    return call


@pytest.mark.parametrize('stopping, resuming', [('ours', 'mmpose'),
                                                ('mmpose', 'ours')])
def test_one_tool_resumes_what_the_other_began_to_the_same_bits(
        train, project, tmp_path, stopping, resuming):
    """Weights, optimizer, schedules, random numbers, log and files."""
    whole = train(resuming, tmp_path / 'whole')
    stopped = tmp_path / 'stopped'
    config = tmp_path / 'stopping.py'
    config.write_text(
        f'_base_ = [{str(project.config)!r}]\ndefault_hooks = dict('
        f'sigterm=dict(type={SigtermHook.__name__!r}, iteration=4))\n')
    # In the middle of the second epoch.
    with pytest.raises(SystemExit) as end:
        train(stopping, stopped, config=config)
    assert end.value.code == 143
    assert (stopped / 'interrupted.pth').exists()
    assert not (stopped / 'epoch_2.pth').exists()
    train(resuming, stopped, '--resume')
    assert differences(whole, stopped) == []
