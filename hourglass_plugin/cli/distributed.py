"""Processes that train or evaluate together: connected and disconnected.

With GPUs mmengine connects them, by NCCL. Without a GPU it cannot, since it
gives each process one; there they are connected here, by gloo.
"""
import atexit
import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device

from ..engine.latest_checkpoint import latest_checkpoint

#: Launcher -> how processes are started, and a variable that it sets.
_LAUNCHERS = {
    'pytorch': ('torchrun (tools/dist_train.sh, tools/dist_test.sh)', 'RANK'),
    'slurm': ('srun (tools/slurm_train.sh, tools/slurm_test.sh)',
              'SLURM_PROCID'),
    'mpi': ("Open MPI's mpirun", 'OMPI_COMM_WORLD_RANK')}

# Whether this process was ever connected to others.
_were_connected = False


def set_up_processes(config: Config) -> None:
    """Connect processes that have no GPU; mmengine connects those that do.

    Args:
        config: with ``launcher``; is not changed.

    Raises:
        ValueError: if the processes were not started by the launcher, or the
            config's ``model_wrapper_cfg`` needs a GPU.
    """
    launcher = config.launcher
    program, variable = _LAUNCHERS[launcher]
    if dist.is_initialized():
        return
    if variable not in os.environ:
        raise ValueError(f'--launcher {launcher} is for processes started by '
                         f'{program}: use it, or omit --launcher')
    if get_device() != 'cpu':
        return
    wrapper = config.get('model_wrapper_cfg') or {}
    if wrapper.get('device_ids', 0) is not None:
        raise ValueError(
            "mmengine's default wrapper gives each process a GPU, and there "
            'is none; add --cfg-options model_wrapper_cfg.device_ids=None '
            'model_wrapper_cfg.broadcast_buffers=False')
    if launcher == 'slurm':
        _read_slurm()
    options = (config.get('env_cfg') or {}).get('dist_cfg') or {}
    seconds = options.get('timeout') or 1800  # torch's own limit
    dist.init_process_group(
        'gloo', timeout=datetime.timedelta(seconds=seconds))


def _read_slurm() -> None:
    """Set torch's variables from Slurm's."""
    variables = os.environ
    variables['RANK'] = variables['SLURM_PROCID']
    variables['WORLD_SIZE'] = variables['SLURM_NTASKS']
    variables['LOCAL_RANK'] = variables.get('SLURM_LOCALID', '0')
    variables.setdefault('MASTER_PORT', '29500')
    if 'MASTER_ADDR' not in variables:
        variables['MASTER_ADDR'] = subprocess.check_output(
            ['scontrol', 'show', 'hostnames', variables['SLURM_NODELIST']],
            text=True).split()[0]


@contextmanager
def connected_processes(work_dir: str | None = None) -> Iterator[None]:
    """Disconnect processes at the end, and name a lost one in one line.

    After an error a process does not disconnect, which waits for the others.

    Args:
        work_dir: of a training, whose latest checkpoint is named if it fails.

    Raises:
        ConnectionError: if another process is lost, in place of gloo's and
            NCCL's errors.
        ChildProcessError: if a data loader's process is lost.
    """
    global _were_connected
    _were_connected |= dist.is_initialized()
    try:
        yield
    except RuntimeError as error:
        text = ' '.join(str(error).split())
        path = None if work_dir is None else latest_checkpoint(work_dir)
        remedy = 'There is no checkpoint: start again' if path is None else (
            f'The latest checkpoint is {path}: add --resume to the command')
        if text.startswith('DataLoader worker'):
            raise ChildProcessError(
                f'{text} If memory is short, set a smaller num_workers. '
                f'{remedy}') from error
        if not dist.is_initialized() or not (isinstance(
                error, dist.DistBackendError) or 'gloo' in text):
            raise
        raise ConnectionError(
            f'process {dist.get_rank()} of {dist.get_world_size()} lost '
            f'another one, which failed or was killed; see its output. '
            f'{remedy}') from error
    except SystemExit:  # asked to stop
        if dist.is_initialized():
            dist.destroy_process_group()
        raise
    if dist.is_initialized():
        dist.destroy_process_group()


def leave(status: int | str | None) -> None:
    """End a process that was connected, without finalizing Python.

    During finalization a thread of gloo aborts the process now and then. The
    functions registered with atexit run. Other processes continue.
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
