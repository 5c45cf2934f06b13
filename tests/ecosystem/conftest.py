"""The small project in a folder of docs/mmpose.md's reader."""
import json
import shutil
import sys
from types import SimpleNamespace

import pytest
from mmpose_page import shell_block
from pose_files import write_json
from tool_process import ROOT, forget_instances, run_command

from hourglass_plugin.compat.versions import draw_circles_with_any_numpy
from hourglass_plugin.skeletons import LSP, MPII


def as_mpii(person):
    """A person of LSP's file in MPII's, which counts from 1.

    MPII's crop lies 15 * scale pixels below the annotated centre.
    """
    places = {name: [x + 1, y + 1]
              for name, (x, y) in zip(LSP.joints, person['joints'])}
    places['upper_neck'] = places['neck']
    x, y = person['center']
    return dict(
        person,
        center=[x + 1, y + 1 - 15 * person['scale']],
        joints=[places.get(name, [0, 0]) for name in MPII.joints],
        joints_vis=[int(name in places) for name in MPII.joints])


@pytest.fixture(scope='session')
def reader(trained, tmp_path_factory):
    """The folder of a reader who has run MMPose's tools.

    Each in a process of its own, which imports nothing of ours but by the
    config.
    """
    folder = tmp_path_factory.mktemp('reader')
    shutil.copytree(trained.folder / 'images', folder / 'my_images')
    for name in ('train', 'val'):
        people = json.loads((trained.folder / f'{name}.json').read_text())
        write_json(folder / f'mpii_{name}.json', list(map(as_mpii, people)))
    config = folder / 'my_people.py'
    # The page's command makes it two, as the small project has.
    config.write_text(f'_base_ = [{str(trained.config)!r}]\n'
                      'train_dataloader = dict(batch_size=4)\n')
    printed = run_command(
        'bash', '-ec', f'python() {{ "{sys.executable}" "$@"; }}\n' +
        shell_block('$TOOLS/test.py') + '\necho "TOOLS=$TOOLS"',
        folder=folder, PYTHONPATH=str(ROOT)).stdout
    return SimpleNamespace(
        folder=folder,
        config=config,
        checkpoint=folder / 'work_dirs' / 'my_people' / 'epoch_1.pth',
        tools=printed[printed.rindex('TOOLS=') + 6:].strip(),
        printed=printed)


@pytest.fixture
def here(reader, monkeypatch):
    """Be in the reader's folder."""
    monkeypatch.chdir(reader.folder)


@pytest.fixture(autouse=True)
def instances_of_this_test(monkeypatch):
    """Runs of one test share nothing with those of another."""
    forget_instances(monkeypatch)
    draw_circles_with_any_numpy()
