"""What a benchmark runs on: its name, its matrix rate, its memory."""
import ctypes
import gc
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import cv2
import mmengine
import mmpose
import numpy as np
import torch
from timing import synchronize

from hourglass_plugin import __version__

#: Sides of the matrices whose product measures the rate, by kind of device:
#: large enough to reach it, small enough for a short turn.
_MATRIX_SIDES = {'cpu': 2048, 'cuda': 8192}

_CLEAR_REFS = Path('/proc/self/clear_refs')


def describe(device: str) -> dict:
    """The device and the versions that a result depends on.

    Raises:
        ValueError: if torch cannot use the device.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f'the device {device!r} cannot be used: '
                         f'{str(error).splitlines()[0]}') from error
    kind = torch.device(device).type
    description = dict(
        device=device,
        device_name=_processor_name()
        if kind == 'cpu' else torch.cuda.get_device_name(device),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        platform=platform.platform(),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
        opencv=cv2.__version__,
        mmengine=mmengine.__version__,
        mmpose=mmpose.__version__,
        hourglass_plugin=__version__)
    if kind == 'cuda':
        description.update(
            cuda=torch.version.cuda,
            cudnn=torch.backends.cudnn.version(),
            convolutions_in_tf32=torch.backends.cudnn.allow_tf32)
    return description


def _processor_name() -> str:
    match = re.search(r'model name\s*: (.+)', _cpu_info())
    return match[1] if match else platform.processor() or platform.machine()


def _cpu_info() -> str:
    """What Linux says about the processor; elsewhere nothing."""
    path = Path('/proc/cpuinfo')
    return path.read_text() if path.is_file() else ''


def has_bfloat16(device: str) -> bool:
    """Whether the device computes in bfloat16 by itself.

    Of processors only Linux tells.
    """
    if torch.device(device).type == 'cuda':
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # avx512_bf16 and amx_bf16 of Intel's and AMD's, bf16 of Arm's.
    return re.search(r'^(flags|Features)\s*:.*bf16', _cpu_info(),
                     re.MULTILINE) is not None


class MatrixProducts(NamedTuple):
    """Products of square matrices, the most that a device can do.

    ``calls``: name -> the product, as a contender; ``multiply_adds``: of one.
    """

    calls: dict[str, Callable[[], Any]]
    multiply_adds: int


def matrix_products(device: str, dtypes: Sequence[str]) -> MatrixProducts:
    """A product in float32 and in each other dtype."""
    side = _MATRIX_SIDES[torch.device(device).type]
    names = ['float32', *(dtype for dtype in dtypes if dtype != 'float32')]
    return MatrixProducts(
        {_product_name(dtype): _product(side, device, dtype)
         for dtype in names}, side**3)


def _product_name(dtype: str) -> str:
    return f'matrix product, {dtype}'


def _product(side: int, device: str, dtype: str) -> Callable[[], Any]:
    left, right = (
        torch.randn(side, side, device=device).to(getattr(torch, dtype))
        for _ in range(2))
    result = torch.empty_like(left)

    def multiply() -> None:
        torch.mm(left, right, out=result)

    if torch.device(device).type == 'cpu' or dtype != 'float32':
        return multiply

    def multiply_as_convolutions() -> None:
        # On GPUs torch lets convolutions round to TF32, but products not:
        # the rate is that of what the convolutions may use.
        matmul = torch.backends.cuda.matmul
        before = matmul.allow_tf32
        matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
        multiply()
        matmul.allow_tf32 = before

    return multiply_as_convolutions


def add_matrix_shares(rows: list[dict[str, Any]], products: MatrixProducts,
                      dtype_of: Callable[[str], str],
                      passes: int = 1) -> None:
    """Compare rows with the rows of the products among them.

    Args:
        rows: are completed: those with ``multiply_adds``, of one image, get
            ``matrix_share``.
        products: what the others are the products of.
        dtype_of: name of a row -> the dtype in which it multiplies.
        passes: how often an image's multiply-adds are done; 3 in training,
            where the backward pass has two for each of the forward pass.
    """
    rates = {}
    for row in rows:
        if row['name'] in products.calls:
            rates[row['name']] = products.multiply_adds / row['median']
            row.update(
                images_per_second=None,
                ratio=None,
                multiply_adds=products.multiply_adds,
                gflops=2 * rates[row['name']] / 1e9)
    for row in rows:
        if row['images_per_second'] is not None:
            rate = passes * row['images_per_second'] * row['multiply_adds']
            row['gflops'] = 2 * rate / 1e9
            row['matrix_share'] = rate / rates[_product_name(
                dtype_of(row['name']))]


def peak_memory(contender: Callable[[], Any], device: str) -> Optional[int]:
    """The most memory that a call holds beyond what there was before it.

    The call is made twice. On a GPU what the first leaves behind counts too
    (the buffers of CUDA graphs); on a processor it does not, since code that
    is loaded then cannot be told from it.

    Returns:
        Bytes, on a GPU of torch's allocator, on a processor of the process,
        in steps of pages. None on a processor without Linux's counter.
    """
    if torch.device(device).type == 'cuda':
        gc.collect()
        before = torch.cuda.memory_allocated(device)
        contender()
        synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        contender()
        synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not os.access(_CLEAR_REFS, os.W_OK):
        return None
    contender()
    gc.collect()
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, 'malloc_trim'):
        # glibc keeps what is freed; reused, it would not be counted.
        c_library.malloc_trim(0)
    _CLEAR_REFS.write_text('5')  # the peak counts from now on
    before = _status('VmRSS')
    contender()
    return max(_status('VmHWM') - before, 0)


def _status(name: str) -> int:
    """A figure of this process from Linux, in bytes."""
    status = Path('/proc/self/status').read_text()
    found, = re.findall(rf'^{name}:\s*(\d+) kB$', status, re.MULTILINE)
    return 1024 * int(found)
