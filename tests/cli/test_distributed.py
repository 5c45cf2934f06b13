"""Processes are connected, and the loss of one is one line."""
import contextlib
import os
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config

from hourglass_plugin.cli import distributed


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


@pytest.mark.parametrize('error, is_left', [
    (None, False), (SystemExit, False), (RuntimeError, True)])
def test_processes_are_disconnected_unless_one_failed(tmp_path, error,
                                                      is_left):
    """A failed one must not wait for others, which may be gone."""
    with group_of_one(tmp_path):
        with contextlib.suppress(SystemExit, RuntimeError), (
                distributed.connected_processes()):
            if error is not None:
                raise error
        assert torch.distributed.is_initialized() == is_left


@pytest.mark.parametrize('message, kind', [
    ('[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed '
     'by peer [127.0.0.1]:4242', ConnectionError),
    ('DataLoader worker (pid 7) is killed by signal: Killed. ',
     ChildProcessError),
    ('a tensor is too large', RuntimeError)])
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
    assert '\n' not in text
    assert ('epoch_3.pth' in text) == bool(checkpoint and kind is not (
        RuntimeError))


@pytest.mark.parametrize('launcher, rank', [
    ('pytorch', ''), ('slurm', ''), ('mpi', ''),
    ('pytorch', '0')])  # its model wrapper needs a GPU
def test_processes_that_cannot_be_connected(monkeypatch, launcher, rank):
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    monkeypatch.setenv('RANK', rank)
    if not rank:
        monkeypatch.delenv('RANK')
    with pytest.raises(ValueError):
        distributed.set_up_processes(Config(dict(launcher=launcher)))


@pytest.mark.parametrize('given', [{}, dict(MASTER_ADDR='node9')])
def test_processes_of_slurm_are_connected(monkeypatch, given):
    environ = dict(given, SLURM_PROCID='3', SLURM_NTASKS='4',
                   SLURM_LOCALID='1', SLURM_NODELIST='node[3-4]')
    monkeypatch.setattr(os, 'environ', environ)
    names = {('scontrol', 'show', 'hostnames', 'node[3-4]'): 'node3\nnode4\n'}
    monkeypatch.setattr(subprocess, 'check_output',
                        lambda command, text: names[tuple(command)])
    calls = []
    monkeypatch.setattr(distributed, 'get_device', lambda: 'cpu')
    monkeypatch.setattr(torch.distributed, 'init_process_group',
                        lambda kind, timeout: calls.append(
                            (kind, timeout.seconds)))
    distributed.set_up_processes(Config(dict(
        launcher='slurm', model_wrapper_cfg=dict(device_ids=None),
        env_cfg=dict(dist_cfg=dict(timeout=60)))))
    assert calls == [('gloo', 60)]
    expected = {**dict(RANK='3', WORLD_SIZE='4', LOCAL_RANK='1',
                       MASTER_ADDR='node3', MASTER_PORT='29500'), **given}
    assert expected.items() <= environ.items()


@pytest.mark.parametrize('were_connected, status, printed, returned', [
    (True, '3', 'all is written\n', 3),
    (True, '"why"', 'why\nall is written\n', 1),
    (False, '3', 'goes on\nall is written\n', 0)])
def test_a_process_that_was_connected_ends_at_once(were_connected, status,
                                                   printed, returned):
    code = f'''
import atexit
from hourglass_plugin.cli import distributed
atexit.register(print, "all is written", flush=True)
distributed._were_connected = {were_connected}
distributed.leave({status})
print("goes on")
'''
    finished = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (finished.stdout, finished.returncode) == (printed, returned)
