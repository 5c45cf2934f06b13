"""What tools/check_load.py counts, and what it calls flat."""
import multiprocessing
import os

import numpy as np
import pytest
from stress.load import (
    Level,
    Look,
    figures,
    growth,
    held,
    is_flat,
    is_measurable,
    levels,
)

pytestmark = pytest.mark.skipif(
    not is_measurable(), reason='Linux 5.4 and later')


SIZE = 64 * 2**20


def look_twice(path):
    """What this process holds, and with another that it has forked."""
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


LOOKS = [
    Look(1, 'train', 100, 10),
    Look(1, 'val', 300, 12),
    Look(2, 'train', 200, 14),
    Look(2, 'train', 204, 11),
    Look(2, 'train', 900, 19),
    Look(2, 'val', 400, 12),
    Look(3, 'train', 200, 11),
    Look(3, 'val', 406, 13),
    Look(4, 'train', 210, 12),
]


def test_levels_are_medians_and_the_fewest_handles():
    assert levels(LOOKS) == [
        Level(1, 100, 300, 10),
        Level(2, 204, 400, 11),
        Level(3, 200, 406, 11)
    ]


@pytest.mark.parametrize('last, memory, handles', [
    (Level(4, 203, 404, 11), 0.015, 0),
    (Level(4, 196, 400, 11), 4 / 196, 0),
    (Level(4, 200, 410, 11), 0.025, 0),
    (Level(4, 200, 400, 12), 0.0, 1),
])
def test_growth_is_of_the_epochs_after_the_second(last, memory, handles):
    found = [
        Level(1, 100, 300, 10),
        Level(2, 150, 350, 12),
        Level(3, 200, 400, 11), last
    ]
    assert growth(found) == (pytest.approx(memory), handles)
    assert is_flat(found) == (memory == 0.015)
    assert any('NO' in line for line in figures(found)) == (memory != 0.015)
