"""Parts of the benchmark against numbers worked out by hand."""
import functools
import json

import bench_baselines
import bench_timing
import pytest
import torch
from bench_report import Table, markdown, record, timed_rows


def test_training_batch_encodes_the_same_images_and_keypoints():
    stock = bench_baselines.resize(
        bench_baselines.stock_config('HRNet-W32 + HeatmapHead'), (64, 64))
    batch, again = (
        bench_baselines.training_batch(stock, 2) for _ in range(2))
    assert batch['inputs'].shape == (2, 3, 64, 64)
    assert batch['inputs'].dtype == torch.uint8
    assert torch.equal(batch['inputs'], again['inputs'])
    _, sample = batch['data_samples']
    heatmaps = sample.gt_fields.heatmaps
    assert heatmaps.shape == (16, 16, 16)
    assert torch.equal(heatmaps, again['data_samples'][1].gt_fields.heatmaps)
    for heatmap, keypoint in zip(heatmaps, sample.gt_instances.keypoints[0]):
        # MSRAHeatmap rounds to the nearest of its cells of 4 pixels.
        x, y = (keypoint / 4 + 0.5).astype(int)
        assert max(x, y) > 15 or heatmap[y, x] == 1


@pytest.fixture
def clock(monkeypatch):
    """A clock that candidates move."""
    now = [100.0]
    monkeypatch.setattr(bench_timing.time, 'perf_counter', lambda: now[0])
    return now


def test_candidates_take_turns_after_warming_up(clock, monkeypatch):
    order = []
    monkeypatch.setattr(bench_timing, 'set_freed_memory', order.append)

    def call(name, seconds):
        order.append(name)
        clock[0] += seconds

    calls = {name: functools.partial(call, name, seconds)
             for name, seconds in (('slow', 3.0), ('fast', 0.25))}
    measured = bench_timing.measure(calls, rounds=2, seconds=0.6, warmup=1)
    # ceil(0.6 / 0.25) = 3 calls a turn.
    turns = ['slow', 'fast', 'fast', 'fast']
    assert order == ['slow', 'fast', *turns, *turns]
    assert measured == {'slow': [3.0, 3.0], 'fast': [0.25, 0.25]}
    order.clear()
    bench_timing.measure(
        calls, rounds=1, seconds=0.2, warmup=1, keeping=['fast'])
    # After a change of the setting a call that is not timed.
    assert order == [
        'slow', 'fast', 'default', 'slow', 'slow', 'keep', 'fast', 'fast']


def test_rows_markdown_and_record_by_hand():
    # Sorted 1 2 3 10: quartiles at positions 0.75 and 2.25 from 0.
    assert tuple(bench_timing.summarize([10.0, 1.0, 3.0, 2.0])) == (
        pytest.approx((2.5, 1.75, 4.75)))
    with pytest.raises(ValueError):
        bench_timing.summarize([])
    rows = timed_rows(
        dict(plain=[0.5, 0.4, 0.6], fast=[0.2, 0.3, 0.1]), 'plain', 4,
        dict(fast=dict(parameters=25_434_112)))
    assert rows[1]['images_per_second'] == pytest.approx(4 / 0.2)
    assert rows[1]['ratio'] == pytest.approx(0.5 / 0.2)
    machine = dict(
        device_name='Abacus', threads=2, cores=4, torch='2.1', mmpose='1.3.2',
        numpy='1.26', opencv='4.11', python='3.10.1')
    assert markdown([Table('Inference', rows)], ['A note.'], machine) == '''\
**Inference**

|  | images/s | ms, median | ms, quartiles | speed, ratio | parameters, M |
| --- | --- | --- | --- | --- | --- |
| plain | 8.00 | 500 | 450 to 550 | 1.00 | - |
| fast | 20.0 | 200 | 150 to 250 | 2.50 | 25.4 |

A note.

Abacus, 2 threads of 4 cores, torch 2.1, mmpose 1.3.2, numpy 1.26, \
opencv 4.11, python 3.10.1
'''
    content = json.loads(json.dumps(
        record('codec', dict(rounds=3), machine, [Table('T', rows)], [])))
    assert content['machine'] == machine
    assert content['tables'][0]['rows'][1]['seconds'] == [0.2, 0.3, 0.1]
    assert content['date'].endswith('+00:00')
