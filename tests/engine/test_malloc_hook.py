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
@pytest.mark.parametrize('fewer, more, megabytes', [
    ('keep', 'default', 40),
    ('default', 'return', 8),
])
def test_blocks_are_kept_or_returned(fewer, more, megabytes):
    """Returned blocks are mapped twelve times, whatever the size of a page.

    Of kept ones the first may land beside the block of the warm-up, if
    something small was put in between: a twelfth of the faults, far from half.
    """
    faults = []
    for policy in (fewer, more):
        # The policy is the process's.
        with multiprocessing.get_context('fork').Pool(1) as pool:
            faults.append(
                pool.apply(page_faults, (policy, megabytes * 2**20)))
    assert faults[0] < faults[1] / 2


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError):
        MallocHook('forget').before_run(
            SimpleNamespace(model=torch.nn.Linear(1, 1)))
