"""docs/mmpose.md, followed as its reader does."""
import os
import re
import runpy
import subprocess
import sys
import textwrap
from collections import OrderedDict
from pathlib import Path

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer
from mmpose.visualization import PoseLocalVisualizer

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'mmpose.md').read_text()


def shortened(text):
    """The page's text for a training of one epoch."""
    return text.replace('epoch_12', 'epoch_1')


def python_block(part):
    """The page's one block of Python that has this part."""
    (block, ) = [
        block for block in re.findall(r'```python\n(.*?)```', PAGE, re.DOTALL)
        if part in block
    ]
    return shortened(block)


def shell_block(part):
    """The page's one block of shell commands that has this part."""
    outside = re.sub(r'```.*?```', '', PAGE, flags=re.DOTALL)
    (block, ) = [
        block for block in re.findall(r'(?:^    .*\n)+', outside, re.MULTILINE)
        if part in block
    ]
    return textwrap.dedent(shortened(block))


def run_shell(commands, folder):
    """Run commands in a shell of their own; what they printed."""
    finished = subprocess.run(
        ['bash', '-ec', f'python() {{ "{sys.executable}" "$@"; }}\n'
         f'{commands}'],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **os.environ, 'OMP_NUM_THREADS': '1',
            'PYTHONPATH': str(ROOT)
        })
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def forget_instances(patch):
    """Let mmengine start as in a process of its own, with no visualizer, and
    no log of a run of the same name that began in the same second."""
    for kind in (MMLogger, MessageHub, Visualizer, PoseLocalVisualizer):
        patch.setattr(kind, '_instance_dict', OrderedDict())


def run_here(program, arguments, folder):
    """Run a program in this process, where MMPose is imported already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(Path(program).parent))
        patch.setattr(sys, 'argv', [str(program), *map(str, arguments)])
        forget_instances(patch)
        runpy.run_path(str(program), run_name='__main__')
