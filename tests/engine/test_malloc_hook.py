"""Freed memory stays in the process, or returns to the system at once."""
import multiprocessing
import resource
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hourglass_plugin.engine import MallocHook


def page_faults(policy, size):
    """Page faults of twelve blocks, one after the other, freed each time."""
    model = torch.nn.Linear(1, 1)
    MallocHook(policy).before_run(SimpleNamespace(model=model))
    counts = []
    for _ in range(15):  # the first three warm up
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        np.ones(size, np.uint8)
    return counts[-1] - counts[2]


@pytest.mark.skipif(sys.platform != 'linux', reason='glibc is on Linux')
def test_blocks_are_kept_or_returned():
    """Returned blocks are mapped twelve times, whatever the size of a page.

    Of kept ones the first may land beside the block of the warm-up, if
    something small was put in between: a twelfth of the faults, far from half.
    """
    faults = {}
    for policy in ('keep', 'default', 'return'):
        # In a new process: the policy is the process's, and free blocks of
        # other tests in this one would serve every policy.
        with multiprocessing.get_context('spawn').Pool(1) as pool:
            faults[policy] = [
                pool.apply(page_faults, (policy, megabytes * 2**20))
                for megabytes in (8, 40)]
    assert faults['keep'][1] < faults['default'][1] / 2
    assert faults['default'][0] < faults['return'][0] / 2
