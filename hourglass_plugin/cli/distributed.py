"""Processes that train or evaluate together: connected, and taken apart.

On GPUs mmengine connects them, by NCCL. Without a GPU it cannot, since it
gives each process one; there they are connected here, by gloo.
"""
import atexit
import datetime
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Optional, Union

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device

from ..engine.latest_checkpoint import latest_checkpoint

#: What each launcher tells a process: its number, and how many there are.
_VARIABLES = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR',
                'MASTER_PORT'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_NODELIST'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'),
}
_WAYS = {
    'pytorch': 'torchrun started: use tools/dist_train.sh or '
    'tools/dist_test.sh',
    'slurm': 'srun started: use tools/slurm_train.sh or tools/slurm_test.sh',
    'mpi': "Open MPI's mpirun started",
}

# Whether this process was ever connected to others.
_were_connected = False


def set_up_processes(config: Config) -> None:
    """Connect processes that have no GPU; mmengine connects those that do.

    Args:
        config: with ``launcher``; is not changed.

    Raises:
        ValueError: if the processes were not started by the launcher, or it
            or the config's ``model_wrapper_cfg`` needs a GPU.
    """
    launcher = config.launcher
    missing = [x for x in _VARIABLES[launcher] if x not in os.environ]
    if missing and not dist.is_initialized():
        raise ValueError(f'--launcher {launcher} is for processes that '
                         f'{_WAYS[launcher]}, or leave --launcher out')
    if get_device() != 'cpu':
        return
    if (config.get('model_wrapper_cfg') or {}).get('device_ids', 0) is not None:
        raise ValueError(
            "mmengine's default wrapper gives each process a GPU, and there "
            'is none; add --cfg-options model_wrapper_cfg.device_ids=None '
            'model_wrapper_cfg.broadcast_buffers=False')
    if not dist.is_initialized():
        _connect_without_gpu(config)


def _connect_without_gpu(config: Config) -> None:
    if config.launcher == 'mpi':
        raise ValueError('--launcher mpi needs GPUs, and there is none; '
                         '--launcher pytorch and slurm work without')
    if config.launcher == 'slurm':
        _read_slurm()
    options = (config.get('env_cfg') or {}).get('dist_cfg') or {}
    limit: dict[str, Any] = {}
    if options.get('timeout') is not None:
        limit['timeout'] = datetime.timedelta(seconds=options['timeout'])
    dist.init_process_group('gloo', **limit)


def _read_slurm() -> None:
    """Say in torch's variables what Slurm says in its own.

    Raises:
        ValueError: if the machine that they shall meet at is not known.
    """
    variables = os.environ
    for name, value in (
        ('RANK', variables['SLURM_PROCID']),
        ('WORLD_SIZE', variables['SLURM_NTASKS']),
        ('LOCAL_RANK', variables.get('SLURM_LOCALID', '0')),
    ):
        variables[name] = value
    variables.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' in variables:
        return
    nodes = variables['SLURM_NODELIST']
    try:
        names = subprocess.run(['scontrol', 'show', 'hostnames', nodes],
                               check=True,
                               capture_output=True,
                               text=True).stdout.split()
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(
            f'scontrol does not say which machines SLURM_NODELIST={nodes} '
            f'means: {error}; set MASTER_ADDR to the first one') from error
    variables['MASTER_ADDR'] = names[0]


@contextmanager
def connected_processes(work_dir: Optional[str] = None) -> Iterator[None]:
    """While processes train or evaluate together, and when it is over.

    They are disconnected when a run is over or asked to stop: if a process
    ends before, threads that still wait for others abort it now and then.
    After an error it must not wait: the others may be gone.

    Args:
        work_dir: of a training, whose latest checkpoint is named if it fails.

    Raises:
        ConnectionError: if another process is gone, in place of what gloo and
            NCCL say.
        ChildProcessError: if a process is gone that loaded data.
    """
    global _were_connected
    _were_connected |= dist.is_initialized()
    try:
        yield
    except SystemExit:
        _disconnect()
        raise
    except RuntimeError as error:
        loader = re.search(r'DataLoader worker \(pid.*?\) (.*\w)', str(error))
        if loader is not None:
            raise ChildProcessError(
                f'a process that loads data {loader.group(1)}, perhaps for '
                'lack of memory: fewer of them need less (num_workers of the '
                f'data loaders). {_way_on(work_dir)}') from error
        if not dist.is_initialized() or not _is_about_another(error):
            raise
        raise ConnectionError(
            f'{_explanation(error)} {_way_on(work_dir)}') from error
    _disconnect()


def leave(status: Union[int, str, None]) -> None:
    """End a process that was connected, without tearing Python down.

    The last thing that a program does. What is registered for its end is done.
    While Python is torn down a thread of gloo that lets go of an object aborts
    the process now and then, 1 in 60 without :func:`connected_processes`
    ("terminate called without an active exception"), when all is done and
    written. A process that was never connected goes on.

    Args:
        status: of the process, as ``sys.exit`` takes it.
    """
    if not _were_connected:
        return
    if isinstance(status, str):
        print(status, file=sys.stderr)
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


def _disconnect() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _is_about_another(error: RuntimeError) -> bool:
    """Whether a process could not reach another, as gloo and NCCL say it."""
    return isinstance(error, torch.distributed.DistBackendError) or bool(
        re.search(
            r'gloo/|connection (was )?(closed|reset|refused)|broken pipe|'
            r'ncclremoteerror|socket timeout', str(error), re.IGNORECASE))


def _explanation(error: RuntimeError) -> str:
    # Without the place in gloo's code, and the advice that follows.
    reason = re.sub(r'^\[\S*\]\s*', '', str(error).strip().splitlines()[0])
    reason = reason.partition('. ')[0]
    return (f'process {dist.get_rank()} of {dist.get_world_size()} has lost '
            f'another one ({reason.rstrip(".")}): that one failed, and said '
            'why here or in its own output, or was killed, perhaps for lack '
            'of memory.')


def _way_on(work_dir: Optional[str]) -> str:
    if work_dir is None:
        return 'Nothing was kept; start anew'
    path = latest_checkpoint(work_dir)
    if path is None:
        return 'There is no checkpoint yet; start anew'
    return (f'The latest checkpoint is {path}; the same command with '
            '--resume goes on from it')
