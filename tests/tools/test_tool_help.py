"""``--help`` of every tool, which must not wait for torch."""
import re
import sys

import pytest
from tool_process import TOOLS, run_command

# Other files are modules beside them.
SCRIPTS = sorted(
    path for path in TOOLS.rglob('*.py')
    if path.read_text().startswith('#!/usr/bin/env python\n'))
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmpose', 'numpy', 'cv2')


@pytest.mark.parametrize('tool', SCRIPTS, ids=lambda tool: tool.stem)
def test_help_is_answered_before_torch_is_imported(tool, tmp_path):
    finished = run_command(
        sys.executable, '-X', 'importtime', tool, '--help', folder=tmp_path)
    assert finished.stdout.startswith(f'usage: {tool.name}')
    # Lines of importtime: "import time: self | cumulative | name".
    imported = set(re.findall(r'\| +([\w.]+)$', finished.stderr, re.MULTILINE))
    assert 'argparse' in imported
    assert not imported.intersection(HEAVY)
