"""Run a tool in a process of its own, as a user does."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / 'tools'


def tool_path(name):
    """The file of a tool, in whichever folder of tools/ it lies."""
    (path, ) = TOOLS.rglob(f'{name}.py')
    return path


def run_tool(name, *arguments, launcher=()):
    """Run a tool in a process of its own; stdout and stderr as text."""
    command = [sys.executable, *launcher, tool_path(name), *arguments]
    return subprocess.run([str(part) for part in command],
                          capture_output=True,
                          text=True,
                          env={
                              **os.environ, 'OMP_NUM_THREADS': '1'
                          })
