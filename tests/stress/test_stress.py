"""Short forms of the stress tests, and the figures of the long one."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
from load import growth, level


def verdict(name, *arguments):
    """Run a stress test; what it printed."""
    script = Path(__file__).with_name(f'{name}.py')
    finished = subprocess.run([sys.executable, str(script), *arguments],
                              capture_output=True,
                              text=True,
                              env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


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


@pytest.mark.parametrize('last, memory, handles', [
    ((4, 203, 404, 11), 0.015, 0),
    ((4, 196, 400, 11), 4 / 196, 0),
    ((4, 200, 410, 11), 0.025, 0),
    ((4, 200, 400, 12), 0.0, 1),
])
def test_growth_is_of_the_epochs_after_the_second(last, memory, handles):
    # Medians of memory, the fewest handles.
    assert level([(200, 14), (204, 11), (900, 19)], [(400, 12)]) == (
        204, 400, 11)
    first = [(1, 100, 300, 10), (2, 150, 350, 12), (3, 200, 400, 11)]
    assert growth([*first, last]) == (pytest.approx(memory), handles)
