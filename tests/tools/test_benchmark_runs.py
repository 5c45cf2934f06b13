"""Every subject of the benchmark, end to end and tiny."""
import json
from pathlib import Path

import bench_baselines
import pytest
import torch

from hourglass_plugin.resources import config_path

HRNET = config_path('td-hm_hrnet-w10_1xb16-4e_lspet-128x128.py')


@pytest.fixture
def benchmark(call_tool, project, tmp_path, monkeypatch, capsys):
    """Run a subject; the rows of its tables by name, JSON and the screen."""
    # Compiling takes a minute and changes no result.
    monkeypatch.setattr(torch, 'compile', lambda module, **options: module)
    name = 'SimpleBaseline-ResNet-50'
    monkeypatch.setattr(bench_baselines, 'STOCK',
                        {name: bench_baselines.STOCK[name]})

    def run(subject, *arguments, images=2):
        out = tmp_path / 'new' / 'result.json'
        call_tool('run', subject, '--config', project.config, '--device',
                  'cpu', '--rounds', 2, '--out', out, '--markdown',
                  tmp_path / 'result.md', *arguments)
        screen = capsys.readouterr().out
        assert (tmp_path / 'result.md').read_text() == screen
        result = json.loads(out.read_text())
        assert result['subject'] == subject
        assert result['settings']['rounds'] == 2
        assert result['machine']['torch'] == torch.__version__
        tables = []
        for table in result['tables']:
            assert f'**{table["title"]}**' in screen
            tables.append({row['name']: row for row in table['rows']})
            for row in table['rows']:  # test_benchmark_parts.py has figures
                if row.get('images_per_second') is not None:
                    assert len(row['seconds']) == 2
                    assert row['images_per_second'] == pytest.approx(
                        images / row['median'])
        return tables, result, screen

    return run


def test_inference(benchmark):
    (rows, ), _, _ = benchmark(
        'inference', '--stacks', 2, '--batch-size', 2, '--precisions',
        'float32', 'int8')
    assert list(rows) == [
        'plain', 'default', 'float32', 'int8', 'ONNX Runtime by hand',
        'OpenVINO by hand', *(f'SimpleBaseline-ResNet-50{engine}'
                              for engine in ('', ', float32', ', int8'))]
    assert rows['plain']['ratio'] == 1
    # The bound that the accelerated network is held to.
    assert rows['float32']['difference'] < 1e-4
    # Rounding to 8 bits is more than that, but still the same network.
    assert 1e-4 < rows['int8']['difference'] < 0.3
    # At 128x128 a quarter of what 256x256 has (7.2 G).
    stock = rows['SimpleBaseline-ResNet-50']
    assert stock['multiply_adds'] / 1e9 == pytest.approx(7.2 / 4, rel=0.01)


def test_inference_with_scores(benchmark, trained, tmp_path):
    (rows, ), _, screen = benchmark(
        'inference', '--batch-size', 1, '--checkpoint', trained.checkpoint,
        '--beside', '--people', 8, '--precisions', 'float32', 'int8',
        '--picture', tmp_path / 'scores.png', images=1)
    assert 'PCK' in screen
    assert rows['plain']['pck'] == rows['default']['pck'] == (
        rows['float32']['pck'])
    assert 0 <= rows['int8']['pck'] <= 100
    assert rows['OpenVINO by hand'].get('pck') is None
    assert (tmp_path / 'scores.png').stat().st_size > 1000


def test_training(benchmark):
    (rows, ), result, _ = benchmark(
        'training', '--stacks', 2, '--batch-size', 2, '--beside', HRNET)
    assert list(rows)[:6] == [
        'plain', 'tuned', 'compiled', 'bfloat16', 'bfloat16-compiled',
        Path(HRNET).stem]
    assert rows['plain']['ratio'] == 1
    assert rows[Path(HRNET).stem]['parameters'] == 2_895_310
    assert result['settings']['beside'] == [HRNET]
    # The same weights, images and targets give the same loss, but for sums in
    # another order over batches as small as 2 x 2 x 2 at the bottom.
    assert rows['tuned']['difference'] < 1e-3
    assert 0 < rows['bfloat16']['difference'] < 0.1


def test_data(benchmark):
    (totals, transforms), result, screen = benchmark(
        'data', '--people', 4, images=1)
    assert result['machine']['threads'] == 1 == totals['MMPose']['ratio']
    for name, key in (('ours', 'ours_seconds'), ('MMPose', 'stock_seconds')):
        seconds = [row[key] for row in transforms.values() if key in row]
        assert list(map(sum, zip(*seconds))) == pytest.approx(
            totals[name]['seconds'])
    rate = totals['ours']['images_per_second']
    assert f'16 cores feed {16 * rate:.0f} samples/s' in screen


def test_codec(benchmark):
    tables, _, _ = benchmark('codec', '--batch-size', 3, images=3)
    assert [table['MSRAHeatmap']['ratio'] for table in tables] == [1, 1]
    for row in (row for table in tables for row in table.values()):
        assert row['microseconds_per_person'] == pytest.approx(
            1e6 * row['median'] / 3)


def test_memory(benchmark):
    (rows, ), _, _ = benchmark('memory', '--stacks', 2, '--batch-size', 2)
    kept, recomputed = rows.values()
    assert kept['name'] == 'keeping activations'
    assert recomputed['time_ratio'] == pytest.approx(
        recomputed['median'] / kept['median'])
    if kept['peak_memory'] is not None:  # where the system counts
        assert recomputed['memory_ratio'] == pytest.approx(
            kept['peak_memory'] / recomputed['peak_memory'])


@pytest.mark.parametrize('subject, option, value, named', [
    ('inference', '--device', 'abacus', 'abacus'),
    ('memory', '--cfg-options', 'model.backbone.type=HRNet', 'HRNet'),
    ('data', '--cfg-options', 'train_dataloader.dataset.ann_file=no.json',
     'no.json')])
def test_what_cannot_be_measured_is_named(subject, option, value, named,
                                          error_of, project):
    assert named in error_of('run', subject, '--config', project.config,
                             option, value)
