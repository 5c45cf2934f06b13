"""docs/resuming.md: its batch script, its settings and its figures."""
import re
import subprocess

import pytest
from page import ROOT, page_text, pieces
from stress.resuming import Outcome, figures

from hourglass_plugin.cli.configs import load_config
from hourglass_plugin.engine.termination import EXIT_STATUS

PAGE = page_text('docs/resuming.md')


@pytest.mark.parametrize('status, requeued', [(0, False), (1, False),
                                              (EXIT_STATUS, True)])
def test_batch_script_goes_on_after_sigterm_only(tmp_path, status, requeued):
    script, = [
        text for _, text in pieces(PAGE) if text.startswith('#!/bin/bash')
    ]
    for name, end in (('srun', status), ('scontrol', 0)):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@"\nexit {end}\n')
        stub.chmod(0o755)
    finished = subprocess.run(['/bin/bash', '-c', script],
                              env=dict(PATH=str(tmp_path), SLURM_JOB_ID='7'),
                              capture_output=True,
                              text=True)
    assert finished.returncode == status and not finished.stderr
    first, *others = finished.stdout.splitlines()
    assert first == ('srun --kill-on-bad-exit=1 python -u tools/train.py '
                     'CONFIG --work-dir work_dirs/people --launcher slurm '
                     '--resume')
    assert others == ['scontrol requeue 7'] * requeued


def test_settings_exist():
    options = re.findall(r'(?<=--cfg-options )\S+', PAGE)
    assert len(options) == 2
    config = load_config(str(ROOT / 'configs/body_2d_keypoint/topdown_heatmap/synthetic/td-hm_hg1-w128_1xb16-4e_synthetic-128x128.py'), options)
    assert config.default_hooks.finite_numbers.max_skipped == 10
    assert config.randomness.deterministic is True


def test_table_has_the_tools_lines():
    lines = list(figures(Outcome(), 4))[3:]
    assert len(lines) == 5
    for line in lines:
        assert f'| {line.replace(": ", " | ")} |' in PAGE
