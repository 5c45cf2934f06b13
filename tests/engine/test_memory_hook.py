"""Freed memory stays in the process, or returns to the system at once."""
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != 'linux', reason='glibc is on Linux')

PROGRAM = '''
import resource, sys, types
import torch
import hourglass_plugin.engine as engine

if sys.argv[1] != 'default':
    hook = getattr(engine, sys.argv[1] + 'FreedMemoryHook')()
    hook.before_run(types.SimpleNamespace(model=torch.nn.Linear(1, 1)))
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
numbers = int(sys.argv[2])
torch.set_num_threads(1)
for _ in range(3):
    torch.ones(numbers)
start = faults()
for _ in range(12):
    torch.ones(numbers)
print(faults() - start)
'''


def page_faults(mode, numbers):
    """Faults of twelve blocks, one after the other, freed each time."""
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, mode, str(numbers)],
        capture_output=True,
        text=True,
        check=True)
    return int(done.stdout)


def test_large_blocks_are_reused():
    # 64 MB, 15,625 pages of 4 KiB. Twelve returned blocks are mapped twelve
    # times, whatever the size of a page. Of kept ones the first may land
    # beside the block of the warm-up, if something small was put in between.
    blocks = 16_000_000
    assert page_faults('Keep', blocks) < page_faults('default', blocks) / 4


def test_blocks_that_glibc_would_keep_are_returned():
    # 8 MB: mapped once, until glibc learns that they are freed, and kept
    # from then on. Returned ones are mapped twelve times.
    blocks = 2_000_000
    assert page_faults('default', blocks) < page_faults('Return', blocks) / 4
