"""Freed memory stays in the process: a large block comes back at the same
place without being returned to the system."""
import subprocess
import sys

import pytest

PROGRAM = '''
import resource, sys, types
import torch
from hourglass_plugin.engine import KeepFreedMemoryHook

if sys.argv[1] == 'keep':
    model = torch.nn.Linear(1, 1)
    KeepFreedMemoryHook().before_run(types.SimpleNamespace(model=model))
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.set_num_threads(1)
for _ in range(3):
    torch.ones(16_000_000)
start = faults()
for _ in range(12):
    torch.ones(16_000_000)  # 64 MB, 15,625 pages of 4 KiB
print(faults() - start)
'''


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc is on Linux')
def test_large_blocks_are_reused():
    faults = {}
    for mode in ('keep', 'return'):
        done = subprocess.run([sys.executable, '-c', PROGRAM, mode],
                              capture_output=True, text=True, check=True)
        faults[mode] = int(done.stdout)
    # Twelve returned blocks are mapped twelve times, whatever the size of a
    # page. Of kept ones the first may land beside the block of the warm-up,
    # if something small was put in between.
    assert faults['keep'] < faults['return'] / 4
