"""Short forms of the stress tests, and the figures of the long one."""
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from load import growth, held, is_measurable, level


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


SIZE = 64 * 2**20


def look_twice(path):
    """Memory and handles of this process, alone and with a forked one."""
    shared = np.ones(SIZE, np.uint8)
    before = held(os.getpid())
    opened = len(os.listdir('/proc/self/fd')) - 1  # without the folder itself
    ready, write = os.pipe()
    wait, end = os.pipe()
    child = os.fork()
    if child == 0:
        own = np.ones(SIZE, np.uint8)
        with open(path, 'w'):
            os.write(write, b'x')
            os.read(wait, 1)
        os._exit(int(own[0]) - int(shared[0]))
    os.read(ready, 1)
    after = held(os.getpid())
    os.write(end, b'x')
    return before, after, opened, os.waitpid(child, 0)[1]


@pytest.mark.skipif(not is_measurable(), reason='Linux 5.4 and later')
def test_memory_and_handles_of_all_processes_are_counted(tmp_path):
    """A process that was forked shares what is there, and has its own."""
    # In a process that shares nothing, nor has other tests' children.
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        (memory, handles), (both, more_handles), opened, status = pool.apply(
            look_twice, (tmp_path / 'a', ))
    assert status == 0
    # The child's array, and pages of Python that it has written to; not the
    # one that it shares.
    assert SIZE <= both - memory < 1.5 * SIZE
    # Four ends of pipes here; there these, what was open, and a file.
    assert more_handles - handles == 4 + (4 + opened + 1)


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
