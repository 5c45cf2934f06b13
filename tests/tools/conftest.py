"""Tools called in this process or their own, and a tiny project for them."""
import importlib.util
import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tool_process import ROOT, TOOLS, run_tool

# A person of 80 pixels who fills a picture of 100: joints in LSP's order.
STANDING = np.array([[38, 88], [39, 68], [41, 50], [55, 50], [57, 68],
                     [58, 88], [28, 50], [30, 38], [38, 26], [58, 26],
                     [66, 38], [68, 50], [48, 22], [48, 10]])


@pytest.fixture
def call_tool(monkeypatch):
    """Call a tool in this process, where torch is imported once."""

    def call(name, *arguments):
        monkeypatch.syspath_prepend(str(TOOLS))
        spec = importlib.util.spec_from_file_location(f'tool_{name}',
                                                      TOOLS / f'{name}.py')
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


def write_people(folder, name, count, rng):
    """Write ``count`` pictures of stick figures and their annotations."""
    people = []
    for index in range(count):
        image = rng.randint(60, 100, (100, 100, 3)).astype(np.uint8)
        joints = STANDING + rng.randint(-4, 5, STANDING.shape)
        for joint in joints:
            cv2.circle(image, joint.tolist(), 3, (80, 220, 250), -1)
        file = f'{name}{index}.png'
        cv2.imwrite(str(folder / 'images' / file), image)
        people.append(
            dict(
                image=file,
                center=[48.0, 49.0],
                scale=0.4,
                joints=joints.tolist(),
                joints_vis=[1] * len(joints)))
    (folder / f'{name}.json').write_text(json.dumps(people))


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
_base_ = [{str(ROOT / 'configs/lsp/hg1_128x128.py')!r}]
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
