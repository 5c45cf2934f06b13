"""``--help`` of every tool, which must not wait for torch."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = sorted(
    file for file in (Path(__file__).resolve().parents[2] /
                      'tools').glob('*.py') if file.name != 'arguments.py')
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmpose', 'hourglass_plugin', 'numpy',
         'cv2')


@pytest.mark.parametrize('tool', TOOLS, ids=lambda tool: tool.name)
def test_help_is_answered_before_torch_is_imported(tool, tmp_path):
    finished = subprocess.run(
        [sys.executable, '-X', 'importtime',
         str(tool), '--help'],
        capture_output=True,
        text=True,
        cwd=tmp_path)
    assert finished.returncode == 0
    assert finished.stdout.startswith(f'usage: {tool.name}')
    # Lines of importtime: "import time: self | cumulative | name".
    imported = set(re.findall(r'\| +([\w.]+)$', finished.stderr, re.MULTILINE))
    assert 'argparse' in imported
    assert not imported.intersection(HEAVY)
