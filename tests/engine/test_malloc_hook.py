"""Freed memory stays in the process, or returns to the system at once."""
import subprocess
import sys

import pytest

from hourglass_plugin.engine import set_freed_memory

PROGRAM = '''
import resource, sys, types
import torch
from hourglass_plugin.engine import MallocHook

hook = MallocHook(sys.argv[1])
if sys.argv[1] != 'default':
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


def page_faults(policy, numbers):
    """Page faults of twelve blocks, one after the other, freed each time."""
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, policy, str(numbers)],
        capture_output=True,
        text=True,
        check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc is on Linux')
@pytest.mark.parametrize('fewer, more, blocks', [
    # 64 MB, 15,625 pages of 4 KiB. Twelve returned blocks are mapped twelve
    # times, whatever the size of a page. Of kept ones the first may land
    # beside the block of the warm-up, if something small was put in between.
    ('keep', 'default', 16_000_000),
    # 8 MB: mapped once, until glibc learns that they are freed, and kept
    # from then on. Returned ones are mapped twelve times.
    ('default', 'return', 2_000_000),
])
def test_blocks_are_kept_or_returned(fewer, more, blocks):
    assert page_faults(fewer, blocks) < page_faults(more, blocks) / 4


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError) as refused:
        set_freed_memory('forget')
    assert 'forget' in str(refused.value)
