"""Run a tool in a process of its own, as a user does."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'


def run_tool(name, *arguments, launcher=()):
    """Run a tool in a process of its own; stdout and stderr as text."""
    command = [sys.executable, *launcher, TOOLS / f'{name}.py', *arguments]
    return subprocess.run([str(part) for part in command],
                          capture_output=True,
                          text=True,
                          env={
                              **os.environ, 'OMP_NUM_THREADS': '1'
                          })
