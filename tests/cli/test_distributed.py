"""Processes are connected, and the loss of one is one line."""
import contextlib
import os
import stat
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from hourglass_plugin.cli import distributed

TORCH_VARIABLES = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR',
                   'MASTER_PORT')


@pytest.fixture(autouse=True)
def never_connected(monkeypatch):
    """Nor is this process, for the tests that follow."""
    monkeypatch.setattr(distributed, '_were_connected', False)


@contextlib.contextmanager
def group_of_one(tmp_path):
    torch.distributed.init_process_group(
        'gloo', f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


@pytest.mark.parametrize('error, is_left', [(None, False),
                                            (SystemExit, False),
                                            (RuntimeError, True)])
def test_processes_are_disconnected_unless_one_failed(tmp_path, error,
                                                      is_left):
    """A failed one must not wait for others, which may be gone."""
    with group_of_one(tmp_path):
        with contextlib.suppress(
                SystemExit,
                RuntimeError), distributed.connected_processes():
            if error is not None:
                raise error
        assert torch.distributed.is_initialized() == is_left


@pytest.mark.parametrize('message, kind', [
    ('[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed '
     'by peer [127.0.0.1]:4242', ConnectionError),
    ('DataLoader worker (pid 7) is killed by signal: Killed. ',
     ChildProcessError),
    ('a tensor is too large', RuntimeError),
])
@pytest.mark.parametrize('checkpoint', ['epoch_3.pth', None])
def test_a_lost_process_is_one_line_with_the_checkpoint(
        tmp_path, message, kind, checkpoint):
    if checkpoint is not None:
        (tmp_path / checkpoint).touch()
    with group_of_one(tmp_path), pytest.raises(
            Exception) as failed, distributed.connected_processes(
                str(tmp_path)):
        raise RuntimeError(message)
    assert type(failed.value) is kind
    text = str(failed.value)
    if kind is RuntimeError:
        assert text == message
    else:
        assert '\n' not in text
        assert ('epoch_3.pth' in text) == (checkpoint is not None)


SLURM = dict(SLURM_PROCID='3', SLURM_NTASKS='4', SLURM_NODELIST='node[3-4]')


@pytest.mark.parametrize('launcher, variables, named', [
    ('pytorch', {}, 'tools/dist_train.sh'),
    ('slurm', {}, 'tools/slurm_train.sh'),
    ('mpi', {}, 'mpirun'),
    ('mpi', dict(OMPI_COMM_WORLD_RANK='0', OMPI_COMM_WORLD_SIZE='1'), 'GPU'),
    ('slurm', SLURM, 'MASTER_ADDR'),
    ('pytorch', dict.fromkeys(TORCH_VARIABLES, '0'), 'device_ids=None'),
])
def test_processes_that_cannot_be_connected(tmp_path, monkeypatch, launcher,
                                            variables, named):
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    monkeypatch.setenv('PATH', str(tmp_path))
    for name in TORCH_VARIABLES:
        monkeypatch.setenv(name, '0')  # taken back afterwards
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    wrapper = {} if named == 'device_ids=None' else dict(device_ids=None)
    with pytest.raises(ValueError) as error:
        distributed.set_up_processes(
            Config(dict(launcher=launcher, model_wrapper_cfg=wrapper)))
    assert named in str(error.value)


def test_variables_of_slurm_become_torchs(tmp_path, monkeypatch):
    scontrol = tmp_path / 'scontrol'
    scontrol.write_text('#!/bin/sh\n[ "$*" = "show hostnames node[3-4]" ] && '
                        'echo node3 && echo node4\n')
    scontrol.chmod(scontrol.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv('PATH', str(tmp_path))
    for name, value in dict(SLURM, SLURM_LOCALID='1').items():
        monkeypatch.setenv(name, value)
    for name in TORCH_VARIABLES:
        monkeypatch.setenv(name, '')  # taken back afterwards
        monkeypatch.delenv(name)
    distributed._read_slurm()
    assert [os.environ[name] for name in TORCH_VARIABLES
            ] == ['3', '4', '1', 'node3', '29500']


@pytest.mark.parametrize('were_connected, status, printed, returned', [
    (True, '3', 'all is written\n', 3),
    (True, 'None', 'all is written\n', 0),
    (True, '"why"', 'why\nall is written\n', 1),
    (False, '3', 'goes on\nall is written\n', 0),
])
def test_a_process_that_was_connected_ends_at_once(were_connected, status,
                                                   printed, returned):
    finished = subprocess.run([
        sys.executable, '-W', 'ignore', '-c', 'import atexit\n'
        'from hourglass_plugin.cli import distributed\n'
        'atexit.register(print, "all is written", flush=True)\n'
        f'distributed._were_connected = {were_connected}\n'
        f'distributed.leave({status})\n'
        'print("goes on")\n'
    ],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              text=True)
    assert (finished.stdout, finished.returncode) == (printed, returned)
