"""Every subject of the benchmark, end to end and tiny."""
import json
from pathlib import Path

import bench_baselines
import pytest
import torch

from hourglass_plugin.resources import config_path

STOCK = 'SimpleBaseline-ResNet-50'
HRNET = config_path('td-hm_hrnet-w10_1xb16-4e_lspet-128x128.py')


@pytest.fixture
def benchmark(call_tool, project, tmp_path, monkeypatch, capsys):
    """Run a subject; its rows by name and the screen."""
    # Compiling takes a minute and changes no result.
    monkeypatch.setattr(torch, 'compile', lambda module, **options: module)
    monkeypatch.setattr(bench_baselines, 'STOCK',
                        {STOCK: bench_baselines.STOCK[STOCK]})

    def run(subject, *arguments):
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
        for table in result['tables']:
            assert f'**{table["title"]}**' in screen
        return {row['name']: row for table in result['tables']
                for row in table['rows']}, screen

    return run


@pytest.mark.parametrize('subject, options, images, reference, others', [
    ('inference', ['--batch-size', 2, '--checkpoint', 'CHECKPOINT',
                   '--people', 8, '--precisions', 'float32', 'int8'],
     2, 'plain', {
         # The bound that the accelerated network is held to; rounding to 8
         # bits is more than that, but still the same network.
         'float32': (0, 1e-4), 'int8': (1e-4, 0.3), 'default': None,
         'ONNX Runtime by hand': None, 'OpenVINO by hand': None, STOCK: None,
         f'{STOCK}, float32': None, f'{STOCK}, int8': None}),
    ('training', ['--stacks', 2, '--batch-size', 2, '--beside', HRNET], 2,
     'plain', {
         # The same weights, images and targets give the same loss, but for
         # sums in another order over batches as small as 2 x 2 x 2.
         'tuned': (0, 1e-3), 'bfloat16': (1e-9, 0.1), 'compiled': None,
         'bfloat16-compiled': None, Path(HRNET).stem: None}),
    ('data', ['--people', 4], 1, 'MMPose', {'ours': None}),
    ('codec', ['--batch-size', 3], 3, 'MSRAHeatmap', {}),
    ('memory', ['--stacks', 2, '--batch-size', 2], 2, 'keeping activations',
     {}),
])
def test_subject(subject, options, images, reference, others, benchmark,
                 trained, tmp_path):
    """Rates and differences; test_benchmark_parts.py has other figures."""
    options = [trained.checkpoint if option == 'CHECKPOINT' else option
               for option in options]
    picture = tmp_path / 'scores.png'
    if subject == 'inference':
        elsewhere = tmp_path / 'elsewhere.json'
        elsewhere.write_text('{"Abacus": {"score": 50, "ms": 40}}')
        options += ['--picture', picture, '--scores', elsewhere]
    rows, screen = benchmark(subject, *options)
    assert rows[reference]['ratio'] == 1
    assert set(others) <= set(rows)
    for name, row in rows.items():
        if {'seconds', 'images_per_second'} <= row.keys():
            assert len(row['seconds']) == 2
            assert row['images_per_second'] == pytest.approx(
                images / row['median'])
        if others.get(name) is not None:
            low, high = others[name]
            assert low <= row['difference'] < high
    if subject == 'inference':
        # At 128x128 a quarter of what 256x256 has (7.2 G).
        assert rows[STOCK]['multiply_adds'] / 1e9 == pytest.approx(
            7.2 / 4, rel=0.01)
        assert 'PCK' in screen
        assert rows['plain']['pck'] == rows['default']['pck'] == (
            rows['float32']['pck'])
        assert 0 <= rows['int8']['pck'] <= 100
        assert rows['OpenVINO by hand'].get('pck') is None
        assert picture.stat().st_size > 1000
        assert rows['Abacus']['images_per_second'] == 25


@pytest.mark.parametrize('subject, option, value, named', [
    ('inference', '--device', 'abacus', 'abacus'),
    ('memory', '--cfg-options', 'model.backbone.type=HRNet', 'HRNet'),
    ('data', '--cfg-options', 'train_dataloader.dataset.ann_file=no.json',
     'no.json')])
def test_what_cannot_be_measured_is_named(subject, option, value, named,
                                          error_of, project):
    assert named in error_of('run', subject, '--config', project.config,
                             option, value)
