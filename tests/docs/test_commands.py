"""Commands of all pages: each parses; those that take seconds are run."""
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from page import PAGES, commands, follow, page_text, parse, pieces
from pose_files import write_dogs
from tool_process import ROOT, run_command

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.engine.termination import EXIT_STATUS
from hourglass_plugin.resources import config_path
from hourglass_plugin.visualization import read_image

COMMANDS = sorted({
    command for page in PAGES for command in commands(page_text(page))})
QUICK = ('configs/body_2d_keypoint/topdown_heatmap/synthetic/'
         'td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py')
CUSTOM = ('configs/custom_dataset/'
          'td-hm_hg2_1xb16-100e_custom-256x256.py')
#: Words that stand for something of the reader's.
PLACES = {
    'CONFIG': QUICK,
    'configs/custom_dataset/my_dogs.py': CUSTOM,
    'my_people.py': QUICK,
    '{inference,training,data,codec,memory}': 'data',
    '...': 'others',
}
#: Commands that are run, by how they begin. All others take minutes, downloads
#: or several processes.
RUN = ('tools/test.py', 'tools/predict.py', 'tools/misc/browse_dataset.py',
       'tools/misc/publish_checkpoint.py', 'tools/export_onnx.py',
       'docs/examples/run_onnx.py', 'tools/analysis_tools/score_mean_pose.py',
       'tools/analysis_tools/compare_trainings.py')
#: Parts of commands that the small project cannot follow.
NOT_RUN = ('mpii', '--out-official', 'people-192x192', '--bbox-file',
           '--detector')
#: Pages with a project of their own, which other tests follow.
ELSEWHERE = {
    'docs/custom_dataset.md': 'test_custom_dataset_page',
    'configs/detection/README.md': 'tests/detectors',
    'docs/mmpose.md': 'tests/ecosystem',
}


def runnable():
    """Commands to run, once each, in the order of the pages."""
    found = {}
    for page in PAGES:
        if page not in ELSEWHERE:
            for command in commands(page_text(page)):
                if command.removeprefix('python ').startswith(RUN) and not any(
                        part in command for part in NOT_RUN):
                    found[command] = page
    return found


@pytest.mark.parametrize('command', COMMANDS, ids=str)
def test_command_parses(command, tmp_path):
    """Its file, config and options exist, and so do settings it changes."""
    words = [
        PLACES.get(word, word)
        for word in shlex.split(re.sub(r'[\[\]]', '', command))
        if not re.fullmatch(r'[A-Z_]+=.*', word)]
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    for word in words[1:]:
        if re.match(r'(configs|tools|tests|docs)/', word):
            assert (ROOT / word).exists(), word
        elif word[0] != '-' and '=' not in word:
            # Tools refuse inputs that are not there.
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).touch()
    if words[0] == 'bash':
        script = (ROOT / words[1]).read_text()
        if re.search('dist_|slurm_', words[1]):
            return
        for option in words[2:]:
            assert not option.startswith('--') or f'{option})' in script
    elif words[0] == 'mim':
        for word in words[2:]:
            if word.endswith('.py'):
                config_path(Path(word).name)
    if words[0] != 'python' or not (ROOT / words[1]).is_file() or (
            words[1] == 'docs/examples/run_onnx.py'):  # reads sys.argv
        return
    args = parse(ROOT / words[1], words[2:], tmp_path)
    if getattr(args, 'cfg_options', None):
        load_config(str(tmp_path / args.config), args.cfg_options)


def test_commands_are_found():
    assert len(COMMANDS) > 60 and len(runnable()) > 15


@pytest.mark.parametrize('command', runnable(), ids=str)
def test_command_runs(command, folder, trained):
    """With the small project in the place of configs and checkpoints."""
    words = shlex.split(re.sub(r'[\[\]]', '', command))
    places = {
        'CONFIG': trained.config, 'CHECKPOINT': trained.checkpoint,
        'INPUT': 'my_images', 'FOLDER': 'my_images',
        'crops/': 'my_images', 'DIR': 'out', 'FOLDERS': trained.work_dir,
        'work_dirs': trained.work_dir,
        'work_dirs/lspet_comparison': trained.work_dir}
    for index, word in enumerate(words[2:], start=2):
        if 'lspet' in word and word.endswith('.py'):
            word = trained.config
        elif re.match(r'(work_dirs|hourglass_plugin)/.*\.pth', word):
            is_target = words[index - 1] == str(trained.checkpoint)
            word = 'small.pth' if is_target else str(trained.checkpoint)
        words[index] = str(places.get(word, word))
    if 'accurate.onnx' in words[2] and not (folder / words[2]).is_file():
        pytest.skip('its file is exported by another test of this module')
    assert follow(shlex.join(words), folder)


def test_custom_dataset_page_is_followed_to_the_end(folder, project):
    """The page's commands in order, shortened in the copied config."""
    write_dogs(project, folder / 'data' / 'custom_dataset')
    for command in commands(page_text('docs/custom_dataset.md')):
        if command.startswith('cp '):
            config = Path(shutil.copy(*(
                folder / path for path in command.split()[1:])))
            config.write_text(config.read_text() + """
model['backbone']['feat_channels'] = 16
train_cfg.update(max_epochs=1, val_interval=1)
small = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader.update(small)
val_dataloader.update(small)
""")
        else:
            follow(command.replace('epoch_100', 'epoch_1'), folder)
    # Four dogs, crop and, to train on, heatmaps of 256 each; the crowd and the
    # dog without keypoints are not among them.
    for phase, width in (('train', 2 * 256 + 2), ('val', 256)):
        sheet = read_image(folder / 'browse' / f'{phase}_01.png')
        assert sheet.shape[1] == 8 + 4 * (width + 8)
    scores = json.loads((folder / 'scores.json').read_text())
    assert {'custom_dataset/BoxPCK@0.2',
            'custom_dataset/BoxPCK@0.1/tail'} <= set(scores)
    assert len(list((folder / 'pictures').glob('val*.jpg'))) >= 4
    result = json.loads((folder / 'predictions/predictions.json').read_text())
    assert result['joints'] == ['nose', 'left_ear', 'right_ear', 'tail']
    for image in result['predictions']:
        (dog, ) = image['people']
        assert np.array(dog['keypoints']).shape == (4, 3)
    assert (folder / 'work_dirs/more_dogs/epoch_1.pth').is_file()


@pytest.mark.parametrize('status, requeued', [(0, False), (1, False),
                                              (EXIT_STATUS, True)])
def test_slurm_script_requeues_after_sigterm_only(tmp_path, status, requeued):
    (script, ) = [text for _, text in pieces(page_text('docs/resuming.md'))
                  if text.startswith('#!/bin/bash')]
    for name, end in (('srun', status), ('scontrol', 0)):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\nexit {end}\n')
        stub.chmod(0o755)
    finished = run_command('/bin/bash', '-c', script, status=status,
                           PATH=str(tmp_path), SLURM_JOB_ID='7')
    assert not finished.stderr
    first, *others = finished.stdout.splitlines()
    assert first.startswith('srun ') and first.endswith('--resume')
    assert others == ['scontrol requeue 7'] * requeued
