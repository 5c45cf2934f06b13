"""docs/distributed.md: its commands, its settings and its table."""
import os
import re
import subprocess

import pytest
from page import ROOT, page_text
from stress import distributed

from hourglass_plugin.cli.configs import load_config

PAGE = page_text('docs/distributed.md')
COMMANDS = re.findall(r'^    ((?:[A-Z_]+=\S+ )*bash tools/.+)$', PAGE, re.M)


def told(command, folder):
    """What a command starts, by stubs of Python and srun: their arguments."""
    for name in ('python', 'srun'):
        stub = folder / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        stub.chmod(0o755)
    finished = subprocess.run(['/bin/bash', '-c', command],
                              cwd=ROOT,
                              env=dict(PATH=f'{folder}:{os.environ["PATH"]}'),
                              capture_output=True,
                              text=True)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.replace(f'{ROOT}/', '').split()


LAUNCHED = ('python -m torch.distributed.run --nnodes {} --node-rank {} '
            '--master-addr {} --master-port 29500 --nproc-per-node 4 tools/')
SRUN = ('srun --partition=PARTITION --job-name=JOB_NAME --gres=gpu:8 '
        '--ntasks={} --ntasks-per-node=8 --cpus-per-task=5 '
        '--kill-on-bad-exit=1 python -u tools/')
TRAIN = 'train.py CONFIG --launcher pytorch'


@pytest.mark.parametrize('command, wanted', list(zip(COMMANDS, [
    LAUNCHED.format(1, 0, '127.0.0.1') + TRAIN,
    LAUNCHED.format(1, 0, '127.0.0.1') +
    'test.py CONFIG CHECKPOINT --launcher pytorch',
    LAUNCHED.format(2, 0, '10.0.0.1') + TRAIN,
    LAUNCHED.format(2, 1, '10.0.0.1') + TRAIN,
    SRUN.format(16) + 'train.py CONFIG --work-dir WORK_DIR --launcher slurm',
    SRUN.format(8) + 'test.py CONFIG CHECKPOINT --launcher slurm',
    LAUNCHED.format(1, 0, '127.0.0.1') + TRAIN +
    ' --cfg-options sync_bn=torch',
])))
def test_commands_start_what_they_should(tmp_path, command, wanted):
    assert len(COMMANDS) == 7
    assert told(command, tmp_path) == wanted.split()


def test_srun_takes_further_arguments_last(tmp_path):
    command = ('GPUS=2 SRUN_ARGS="--gres=none --time=1" '
               'bash tools/slurm_train.sh P J C W --resume')
    words = told(command, tmp_path)
    assert '--ntasks-per-node=2' in words
    assert words.index('--gres=gpu:2') < words.index('--gres=none') < (
        words.index('--time=1')) < words.index('python')
    assert words[-1] == '--resume'


def test_settings_exist():
    options = re.findall(r'(?<=--cfg-options )[^\s`]+', PAGE)
    assert options == ['sync_bn=torch', 'env_cfg.dist_cfg.timeout=60']
    config = load_config(str(ROOT / 'configs/body_2d_keypoint/topdown_heatmap/synthetic/td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py'), options)
    assert config.sync_bn == 'torch'
    assert config.env_cfg.dist_cfg.timeout == 60


def test_table_has_the_tools_lines():
    for training in distributed.TRAININGS:
        limit = distributed.TOLERANCES[training.mixed_precision]
        assert re.search(rf'\| {training} \| [\d.e-]+, at most {limit:.1g} \|',
                         PAGE)
    for name in distributed.LAUNCHES[:2]:
        seconds, = re.findall(rf'\| {name}, a process killed.* \| ([\d.]+) ',
                              PAGE)
        assert float(seconds) < distributed.SECONDS
