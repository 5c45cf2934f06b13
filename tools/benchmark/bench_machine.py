"""The machine of a benchmark: names, versions, memory."""
import ctypes
import gc
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import mmpose
import numpy as np
import torch
from bench_timing import synchronize
from mmengine.utils.dl_utils import collect_env

from hourglass_plugin import __version__

_CLEAR_REFS = Path('/proc/self/clear_refs')


def describe(device: str) -> dict[str, Any]:
    """Return the device and the versions that a result depends on.

    Raises:
        ValueError: if torch cannot use the device.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f'the device {device!r} cannot be used: '
                         f'{str(error).splitlines()[0]}') from error
    if torch.device(device).type == 'cuda':
        name = torch.cuda.get_device_name(device)
    else:
        found = re.search(r'model name\s*: (.+)', _cpu_info())
        name = found[1] if found else platform.machine()
    return dict(
        device=device,
        device_name=name,
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
        opencv=cv2.__version__,
        mmpose=mmpose.__version__,
        hourglass_plugin=__version__,
        environment={
            name: str(value)
            for name, value in collect_env().items()
        })


def _cpu_info() -> str:
    """Return Linux's description of the CPU; elsewhere nothing."""
    path = Path('/proc/cpuinfo')
    return path.read_text() if path.is_file() else ''


def has_bfloat16(device: str) -> bool:
    """Return True if the device has instructions for bfloat16."""
    if torch.device(device).type == 'cuda':
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # avx512_bf16 and amx_bf16 of Intel's and AMD's, bf16 of Arm's.
    return re.search(r'^(flags|Features)\s*:.*bf16', _cpu_info(),
                     re.MULTILINE) is not None


def peak_memory(candidate: Callable[[], Any], device: str) -> int | None:
    """Measure the most memory that a call holds beyond its start.

    The call is made twice, and the second is measured.

    Returns:
        Bytes, on a GPU of torch's allocator, on a CPU of the process, in
        steps of pages. None on a CPU without Linux's counter.
    """
    if torch.device(device).type == 'cuda':
        candidate()
        synchronize(device)
        gc.collect()
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        candidate()
        synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not os.access(_CLEAR_REFS, os.W_OK):
        return None
    candidate()
    gc.collect()
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, 'malloc_trim'):
        # glibc keeps what is freed; reused, it would not be counted.
        c_library.malloc_trim(0)
    _CLEAR_REFS.write_text('5')  # the peak counts from now on
    before = _status('VmRSS')
    candidate()
    return max(_status('VmHWM') - before, 0)


def _status(name: str) -> int:
    """Read a figure of this process from Linux, in bytes."""
    status = Path('/proc/self/status').read_text()
    found, = re.findall(rf'^{name}:\s*(\d+) kB$', status, re.MULTILINE)
    return 1024 * int(found)
