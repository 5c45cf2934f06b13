"""Processes are connected, and a lost one is told of in a line."""
import contextlib
import stat
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from hourglass_plugin.cli import distributed as processes


@pytest.fixture(autouse=True)
def never_connected(monkeypatch):
    """Nor is this process, for the tests that follow."""
    monkeypatch.setattr(processes, '_were_connected', False)


LOST = ('[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection '
        'closed by peer [127.0.0.1]:4242')


@pytest.mark.parametrize('error, is_left', [(None, False),
                                            (SystemExit, False),
                                            (RuntimeError, True)])
def test_processes_are_disconnected_unless_one_failed(tmp_path, error,
                                                      is_left):
    """Whoever failed must not wait for others, which may be gone."""
    torch.distributed.init_process_group(
        'gloo', f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        with contextlib.suppress(
                SystemExit,
                RuntimeError), processes.connected_processes():
            if error is not None:
                raise error
        assert torch.distributed.is_initialized() == is_left
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def test_a_lost_process_that_loads_data_is_one_line(tmp_path):
    (tmp_path / 'epoch_3.pth').touch()
    with pytest.raises(ChildProcessError) as failed, \
            processes.connected_processes(str(tmp_path)):
        raise RuntimeError('DataLoader worker (pid 7) is killed by signal: '
                           'Killed. ')
    text = str(failed.value)
    assert text.startswith('a process that loads data is killed by signal: '
                           'Killed, perhaps for lack of memory: ')
    assert text.endswith(f'{tmp_path}/epoch_3.pth; the same command with '
                         '--resume goes on from it')


@pytest.mark.parametrize('message, checkpoint, said', [
    (LOST, 'epoch_3.pth',
     'epoch_3.pth; the same command with --resume goes on from it'),
    (LOST, None, 'There is no checkpoint yet'),
    ('a tensor is too large', None, None),
])
def test_a_lost_process_is_one_line(tmp_path, message, checkpoint, said):
    if checkpoint is not None:
        (tmp_path / checkpoint).touch()
    torch.distributed.init_process_group(
        'gloo', f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        with pytest.raises((ConnectionError, RuntimeError)) as failed, \
                processes.connected_processes(str(tmp_path)):
            raise RuntimeError(message)
    finally:
        torch.distributed.destroy_process_group()
    text = str(failed.value)
    if said is None:
        assert text == message
        return
    assert isinstance(failed.value, ConnectionError) and '\n' not in text
    assert text.startswith('process 0 of 1 has lost another one (Connection '
                           'closed by peer [127.0.0.1]:4242): ')
    assert said in text


@pytest.mark.parametrize('launcher, variables, said', [
    ('pytorch', {}, 'use tools/dist_train.sh or tools/dist_test.sh'),
    ('slurm', {}, 'use tools/slurm_train.sh or tools/slurm_test.sh'),
    ('mpi', {}, "Open MPI's mpirun started"),
    ('slurm', dict(SLURM_PROCID='0', SLURM_NTASKS='1', SLURM_NODELIST='a[1-2'),
     'SLURM_NODELIST=a[1-2 means: .*; set MASTER_ADDR to the first one'),
])
def test_processes_that_nobody_started(tmp_path, monkeypatch, launcher,
                                       variables, said):
    monkeypatch.setattr(processes, 'get_device', lambda: 'cpu')
    monkeypatch.setenv('PATH', str(tmp_path))
    for name in ('RANK', 'MASTER_ADDR'):
        monkeypatch.delenv(name, raising=False)
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_PORT'):
        monkeypatch.setenv(name, '0')  # taken back afterwards
    monkeypatch.delenv('RANK')
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=said.replace('[', r'\[')):
        processes.set_up_processes(Config(dict(launcher=launcher)))


def test_what_slurm_says(tmp_path, monkeypatch):
    scontrol = tmp_path / 'scontrol'
    scontrol.write_text('#!/bin/sh\n[ "$*" = "show hostnames node[3-4]" ] && '
                        'echo node3 && echo node4\n')
    scontrol.chmod(scontrol.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv('PATH', str(tmp_path))
    for name, value in dict(
            SLURM_PROCID='3',
            SLURM_NTASKS='4',
            SLURM_LOCALID='1',
            SLURM_NODELIST='node[3-4]').items():
        monkeypatch.setenv(name, value)
    told = dict(
        RANK='3',
        WORLD_SIZE='4',
        LOCAL_RANK='1',
        MASTER_ADDR='node3',
        MASTER_PORT='29500')
    for name in told:
        monkeypatch.setenv(name, '')  # taken back afterwards
        monkeypatch.delenv(name)
    processes._read_slurm()
    assert {name: processes.os.environ[name] for name in told} == told


@pytest.mark.parametrize('were_connected, status, printed, returned', [
    (True, '3', 'all is written\n', 3),
    (True, 'None', 'all is written\n', 0),
    (True, '"why"', 'why\nall is written\n', 1),
    (False, '3', 'goes on\nall is written\n', 0),
])
def test_who_was_connected_leaves_at_once(were_connected, status, printed,
                                          returned):
    finished = subprocess.run([
        sys.executable, '-c', 'import atexit\n'
        'from hourglass_plugin import processes\n'
        'atexit.register(print, "all is written", flush=True)\n'
        f'processes._were_connected = {were_connected}\n'
        f'processes.leave({status})\n'
        'print("goes on")\n'
    ],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              text=True)
    lines = [
        line for line in finished.stdout.splitlines(True)
        if not line.startswith('hourglass_plugin: ')
    ]
    assert (''.join(lines), finished.returncode) == (printed, returned)
