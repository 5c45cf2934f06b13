"""Matrix rate, memory and names of the machine."""
import functools
import sys

import machine
import pytest
import torch
from machine import (
    MatrixProducts,
    add_matrix_shares,
    describe,
    has_bfloat16,
    peak_memory,
)


def test_share_of_the_matrix_rate_by_hand():
    product = 'matrix product, float32'
    rows = [
        dict(name='net', images_per_second=10.0, multiply_adds=3),
        dict(name=product, images_per_second=1.0, median=0.5, ratio=1.0)
    ]
    products = MatrixProducts({product: lambda: None}, multiply_adds=200)
    add_matrix_shares(rows, products, lambda name: 'float32', passes=3)
    # 200 in half a second against 3 times 3 for each of 10 images.
    assert rows[0]['matrix_share'] == pytest.approx(90 / 400)
    assert rows[0]['gflops'] == pytest.approx(2 * 90 / 1e9)
    assert rows[1]['gflops'] == pytest.approx(2 * 400 / 1e9)
    assert rows[1]['images_per_second'] is None


def test_products_multiply_in_each_dtype(monkeypatch):
    monkeypatch.setitem(machine._MATRIX_SIDES, 'cpu', 3)
    seen = []
    multiply = torch.mm

    def mm(left, right, out):
        seen.append((left.shape, left.dtype))
        return multiply(left, right, out=out)

    monkeypatch.setattr(torch, 'mm', mm)
    products = machine.matrix_products('cpu', ['bfloat16'])
    assert products.multiply_adds == 27
    assert list(products.calls) == [
        'matrix product, float32', 'matrix product, bfloat16'
    ]
    for call in products.calls.values():
        call()
    assert seen == [((3, 3), torch.float32), ((3, 3), torch.bfloat16)]


@pytest.mark.skipif(
    sys.platform != 'linux', reason="the counter is Linux's")
def test_peak_memory_counts_what_is_held_at_once():
    megabytes = 64

    def hold(count):
        tensors = [
            torch.ones(megabytes * 2**18) for _ in range(count)
        ]
        del tensors
        torch.ones(megabytes * 2**18)

    for count in (1, 3):
        peak = peak_memory(functools.partial(hold, count), 'cpu')
        # Pages, and what Python and the allocator need besides: below 4 MB.
        assert peak == pytest.approx(count * megabytes * 2**20, abs=4 * 2**20)


def test_bfloat16_is_read_from_the_flags(monkeypatch):
    for text, answer in (('flags : fpu avx512_bf16 sse\n', True),
                         ('Features : asimd bf16\n', True),
                         ('model name : bf16\nflags : fpu sse\n', False)):
        monkeypatch.setattr(machine, '_cpu_info', lambda text=text: text)
        assert has_bfloat16('cpu') == answer


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match='abacus'):
        describe('abacus')
