"""Short forms of the stress tests."""
import sys
from pathlib import Path

import pytest
from tool_process import run_script


def verdict(name, *arguments):
    """Run a stress test; what it printed."""
    return run_script(Path(__file__).with_name(f'{name}.py'), *arguments)


def test_resume_is_bit_equal_after_sigkill_and_sigterm():
    found = verdict('resuming', '--kills', '2', '--stops', '1', '--epochs',
                    '3', '--workers', '0')
    assert 'SIGKILL: 2, 1 while files were written' in found
    assert 'SIGTERM: 1' in found
    assert found.count(': yes\n') == 5


@pytest.mark.skipif(sys.platform != 'linux', reason='needs /proc')
def test_evaluation_and_resume_are_bit_equal_in_several_processes():
    found = verdict('distributed', '--samples', '7', '--processes', '1', '3',
                    '--launches', 'dist_train.sh', 'slurm_train.sh')
    assert '7 samples bit-equal: yes' in found
    assert 'a process killed' in found
    assert found.count(': yes\n') == 4
