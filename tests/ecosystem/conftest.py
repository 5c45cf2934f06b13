"""A small project, trained and tested by MMPose's own tools."""
import json
from types import SimpleNamespace

import numpy as np
import pytest
from mmpose_page import forget_instances, python_block, run_shell, shell_block
from stick_figures import draw_person

from hourglass_plugin.skeletons import LSP, MPII


def as_mpii(joints):
    """Joints in LSP's order in MPII's, whose file counts from 1."""
    places = dict(zip(LSP.joints, (joints + 1).tolist()))
    places['upper_neck'] = places['neck']
    nowhere = [0, 0]
    return dict(
        joints=[places.get(name, nowhere) for name in MPII.joints],
        joints_vis=[int(name in places) for name in MPII.joints])


def write_people(folder, name, count, rng):
    """Write pictures of stick figures, annotated as LSP and as MPII."""
    leeds, mpii = [], []
    for index in range(count):
        file = f'{name}{index}.png'
        joints = draw_person(folder / 'photographs' / file, rng)
        person = dict(image=file, scale=0.4)
        leeds.append(
            dict(
                person,
                center=[48.0, 49.0],
                joints=joints.tolist(),
                joints_vis=[1] * len(joints)))
        # MPII's crop lies 15 * scale pixels below the annotated centre.
        mpii.append(dict(person, center=[49.0, 44.0], **as_mpii(joints)))
    (folder / f'lspet_{name}.json').write_text(json.dumps(leeds))
    (folder / f'mpii_{name}.json').write_text(json.dumps(mpii))


# What makes the page's config small.
SMALL = """
train_cfg = dict(max_epochs=1, val_interval=1)
loader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root='', data_prefix=dict(img='photographs/')))
train_dataloader = dict(loader, batch_size=4)
val_dataloader = dict(loader, batch_size=2)
test_dataloader = val_dataloader
# Thresholds that even an untrained network sometimes meets.
val_evaluator = dict(thresholds=[1.5, 0.5])
test_evaluator = val_evaluator
model = dict(backbone=dict(feat_channels=16))
default_hooks = dict(logger=dict(interval=1))
"""


@pytest.fixture(scope='session')
def reader(tmp_path_factory):
    """The folder of a reader of docs/mmpose.md who has run MMPose's tools.

    Five people to train on, five to test on; each tool in a process of its
    own, which imports nothing of ours but by the config.
    """
    folder = tmp_path_factory.mktemp('reader')
    (folder / 'photographs').mkdir()
    rng = np.random.RandomState(0)
    for name in ('train', 'val'):
        write_people(folder, name, 5, rng)
    config = folder / 'my_people.py'
    config.write_text(python_block('config_path(') + SMALL)
    commands = shell_block('$TOOLS/test.py')
    # Beside the page's: what says how it went.
    printed = run_shell(commands + 'echo "TOOLS=$TOOLS"', folder)
    return SimpleNamespace(
        folder=folder,
        config=config,
        checkpoint=folder / 'work_dirs' / 'my_people' / 'epoch_1.pth',
        tools=printed[printed.rindex('TOOLS=') + 6:].strip(),
        printed=printed)


@pytest.fixture(autouse=True)
def instances_of_this_test(monkeypatch):
    """Runs of one test know nothing of those of another."""
    forget_instances(monkeypatch)


@pytest.fixture(autouse=True)
def unformatted_configs(monkeypatch):
    """mmengine writes each config five times, beautified by yapf, which takes
    seconds where it has a data set's joints; here it writes them as they are.
    """
    # onedl-mmengine imports yapf only where it uses it.
    monkeypatch.setattr(
        'mmengine.config.config.FormatCode',
        lambda text, **options: (text, True),
        raising=False)
