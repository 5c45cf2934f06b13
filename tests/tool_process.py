"""Run tools in a process of their own, as a user does, or in this one."""
import os
import runpy
import socket
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / 'tools'


def tool_path(name):
    """The file of a tool, in whichever folder of tools/ it lies."""
    (path, ) = TOOLS.rglob(f'{name}.py')
    return path


def run_command(*command, folder=None, status=0, **variables):
    """Run a command, which must end with a status; stdout and stderr as text.

    ``variables`` are added to the environment.
    """
    finished = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True,
        cwd=folder, env={**os.environ, 'OMP_NUM_THREADS': '1', **variables})
    assert finished.returncode == status, finished.stdout + finished.stderr
    return finished


def run_script(script, *arguments, **options):
    """Run a script, which must succeed, in a process of its own; stdout."""
    return run_command(sys.executable, script, *arguments, **options).stdout


def run_tool(name, *arguments, launcher=(), status=0):
    """Run a tool in a process of its own; stdout and stderr as text."""
    return run_command(sys.executable, *launcher, tool_path(name), *arguments,
                       status=status)


def free_port():
    """A port of this machine that nothing uses."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def two_processes():
    """The launcher that starts a tool twice, connected by a free port."""
    return ('-m', 'torch.distributed.run', '--nproc-per-node', '2',
            '--master-port', free_port())


def _subclasses(kind):
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)


def forget_instances(patch):
    """Let mmengine start as in a process of its own.

    Runners of one second have one name, by which a later one would find an
    earlier one's log and screen.
    """
    from mmengine.logging import MessageHub, MMLogger
    from mmengine.registry import DefaultScope
    from mmengine.visualization import Visualizer
    for kind in (DefaultScope, MMLogger, MessageHub, *_subclasses(Visualizer)):
        patch.setattr(kind, '_instance_dict', OrderedDict())


def run_here(script, arguments, folder='.'):
    """Run a script in this process, where torch is imported already.

    In the state of a process of its own, which has run nothing before.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(Path(script).parent))
        patch.setattr(sys, 'argv', [str(script), *map(str, arguments)])
        forget_instances(patch)
        runpy.run_path(str(script), run_name='__main__')
