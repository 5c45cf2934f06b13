"""Rows, Markdown and JSON of a benchmark."""
import json

import pytest
from report import Table, markdown, record, timed_rows

MACHINE = dict(
    device_name='Abacus',
    threads=2,
    cores=4,
    torch='2.1',
    mmpose='1.3.2',
    numpy='1.26',
    opencv='4.11',
    python='3.9.1')


def rows():
    return timed_rows({
        'plain': [0.5, 0.4, 0.6],
        'fast': [0.2, 0.3, 0.1]
    },
                      'plain',
                      images=4,
                      details={'fast': dict(weights=25_434_112)})


def test_rates_and_ratios_by_hand():
    plain, fast = rows()
    assert plain['images_per_second'] == pytest.approx(4 / 0.5)
    assert fast['images_per_second'] == pytest.approx(4 / 0.2)
    assert (plain['ratio'], fast['ratio']) == pytest.approx((1, 0.5 / 0.2))
    # Sorted 0.1 0.2 0.3: quartiles halfway between neighbours.
    assert fast['quartiles'] == pytest.approx([0.15, 0.25])
    assert fast['seconds'] == [0.2, 0.3, 0.1]


def test_details_replace_figures():
    row, = timed_rows({'product': [1.0]}, 'product',
                      details={'product': dict(ratio=None)})
    assert row['ratio'] is None and row['median'] == 1.0


def test_markdown_has_a_column_for_each_figure_that_there_is():
    text = markdown([Table('Inference', rows())], ['A note.'], MACHINE)
    assert text == '''\
**Inference**

|  | images/s | ms, median | ms, quartiles | speed, ratio | weights, M |
| --- | --- | --- | --- | --- | --- |
| plain | 8.00 | 500 | 450 to 550 | 1.00 | - |
| fast | 20.0 | 200 | 150 to 250 | 2.50 | 25.4 |

A note.

Abacus, 2 threads of 4 cores, torch 2.1, mmpose 1.3.2, numpy 1.26, \
opencv 4.11, python 3.9.1
'''


def test_record_keeps_every_round(monkeypatch):
    monkeypatch.setattr('sys.argv', ['benchmark.py', 'codec', '--out', 'a b'])
    content = json.loads(
        json.dumps(
            record('codec', dict(rounds=3), MACHINE, [Table('T', rows())],
                   ['A note.'])))
    assert content['command'] == "benchmark.py codec --out 'a b'"
    assert content['machine'] == MACHINE
    assert content['settings'] == dict(rounds=3)
    assert content['tables'][0]['rows'][1]['seconds'] == [0.2, 0.3, 0.1]
    assert content['date'].endswith('+00:00')
