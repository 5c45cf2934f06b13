"""Tools called in this process or their own, and a tiny project for them."""
import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from stick_figures import write_people
from tool_process import TOOLS, run_tool

from hourglass_plugin.resources import config_path


@pytest.fixture
def call_tool(monkeypatch):
    """Call a tool in this process, where torch is imported once."""

    def call(name, *arguments):
        monkeypatch.syspath_prepend(str(TOOLS))
        spec = importlib.util.spec_from_file_location(f'tool_{name}',
                                                      TOOLS / f'{name}.py')
        # Runners of the same second have the same name, by which a later one
        # would find an earlier one's log and screen.
        for kind in (DefaultScope, MMLogger, MessageHub):
            kind._instance_dict.clear()
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        monkeypatch.setattr(sys, 'argv',
                            [f'{name}.py', *map(str, arguments)])
        tool.arguments.run(tool.main, tool.parse_args())

    return call


@pytest.fixture
def error_of(call_tool):
    """The one line with which a tool ends that cannot do its work."""

    def error(name, *arguments):
        with pytest.raises(SystemExit) as stopped:
            call_tool(name, *arguments)
        message = stopped.value.code
        prefix = f'{name}.py: error: '
        assert isinstance(message, str), message  # exits with status 1
        assert message.startswith(prefix) and '\n' not in message
        return message[len(prefix):]

    return error


@pytest.fixture(scope='session')
def project(tmp_path_factory):
    """Five people to train on, five to test on, and a config for them.

    The config is a real one, made small; two people per batch.
    """
    folder = tmp_path_factory.mktemp('project')
    (folder / 'images').mkdir()
    rng = np.random.RandomState(0)
    write_people(folder, 'train', 5, rng)
    write_people(folder, 'val', 5, rng)
    config = folder / 'tiny.py'
    loader = """dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root={root!r}, ann_file='{name}.json'))"""
    config.write_text(f"""
_base_ = [{config_path('td-hm_hg1-w128_1xb16-12e_lspet-128x128.py')!r}]
train_cfg = dict(max_epochs=1, val_interval=1)
train_dataloader = {loader.format(root=str(folder), name='train')}
val_dataloader = {loader.format(root=str(folder), name='val')}
test_dataloader = val_dataloader
# Thresholds that even an untrained network sometimes meets.
val_evaluator = dict(thresholds=[1.5, 0.5])
test_evaluator = val_evaluator
model = dict(backbone=dict(feat_channels=16))
default_hooks = dict(logger=dict(interval=1))
""")
    return SimpleNamespace(folder=folder, config=config)


@pytest.fixture(scope='session')
def trained(project):
    """The project after one epoch of training in a process of its own."""
    work_dir = project.folder / 'work_dir'
    finished = run_tool('train', project.config, '--work-dir', work_dir)
    assert finished.returncode == 0, finished.stderr
    return SimpleNamespace(
        **vars(project),
        work_dir=work_dir,
        checkpoint=work_dir / 'epoch_1.pth',
        screen=finished.stdout)
