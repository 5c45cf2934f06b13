"""One small project, trained once a session and shared by all tests.

With pytest-xdist the workers share it, too. Tests read its files and write
to folders of their own.
"""
import time
from types import SimpleNamespace

import numpy as np
from stick_figures import write_people
from tool_process import run_tool

from hourglass_plugin import config_path

#: The shipped config that the project's inherits from.
BASE = 'td-hm_hg2-w128_1xb16-30e_lspet-128x128.py'
# The project's config is a shipped one with less of everything.
CONFIG = f"""
_base_ = [{config_path(BASE)!r}]
train_cfg = dict(max_epochs=1, val_interval=1)
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader = dict(
    loader, dataset=dict(data_root={{root!r}}, ann_file='train.json'))
val_dataloader = dict(
    loader, dataset=dict(data_root={{root!r}}, ann_file='val.json'))
test_dataloader = val_dataloader
# Thresholds that even an untrained network sometimes meets.
val_evaluator = dict(thresholds=[1.5, 0.5])
test_evaluator = val_evaluator
model = dict(backbone=dict(feat_channels=16))
default_hooks = dict(logger=dict(interval=1))
"""


def project_files(folder):
    """Paths of the project in a folder."""
    return SimpleNamespace(
        folder=folder, config=folder / 'tiny.py', work_dir=folder / 'work_dir',
        checkpoint=folder / 'work_dir' / 'epoch_1.pth')


def write_project(folder, train=5, val=5):
    """Draw so many people to train and to validate on; write a config."""
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    rng = np.random.RandomState(0)
    for name, count in (('train', train), ('val', val)):
        write_people(folder, name, count, rng)
    project_files(folder).config.write_text(CONFIG.format(root=str(folder)))


def train_project(folder):
    """Train one epoch in a process of its own; keep its output."""
    files = project_files(folder)
    finished = run_tool('train', files.config, '--work-dir', files.work_dir)
    (folder / 'screen.txt').write_text(finished.stdout)


def shared_folder(tmp_path_factory, name, make):
    """A folder that the session's first worker to come makes."""
    root = tmp_path_factory.getbasetemp()
    if root.name.startswith('popen-'):  # a worker's own folder
        root = root.parent
    folder = root / name
    try:
        (root / f'{name}.lock').mkdir()
    except FileExistsError:
        while not (root / f'{name}.done').exists():
            assert not (root / f'{name}.failed').exists(), 'see another test'
            time.sleep(0.1)
        return folder
    try:
        folder.mkdir(exist_ok=True)
        make(folder)
    except BaseException:
        (root / f'{name}.failed').touch()
        raise
    (root / f'{name}.done').touch()
    return folder
