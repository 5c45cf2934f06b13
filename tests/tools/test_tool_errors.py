"""Wrong input ends a tool with one line that names it, and status 1.

tests/cli has the process and its output.
"""
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop

from hourglass_plugin.inference import export
from hourglass_plugin.visualization import save_image


@pytest.mark.parametrize('arguments, named', [
    (['train', 'no_config.py'], 'no_config.py'),
    (['predict', 'images', '--batch-size', 10**30], '000'),
])
def test_wrong_arguments_have_status_2(arguments, named, call_tool, capsys):
    with pytest.raises(SystemExit) as stopped:
        call_tool(*arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize('content', [
    'model = (', '_base_ = "nowhere.py"', 'answer = 42'])
def test_a_broken_config_is_named(content, error_of, tmp_path):
    config = tmp_path / 'broken.py'
    config.write_text(content)
    assert 'broken.py' in error_of('train', config)


@pytest.fixture
def training_error(error_of, project, tmp_path):
    """Call the training with more arguments; its error."""
    return lambda *arguments: error_of('train', project.config, '--work-dir',
                                       tmp_path / 'work', *arguments)


@pytest.mark.parametrize('option, named', [
    ('model.backbone.num_stack=2', 'num_stack'),
    ('train_dataloader.dataset.ann_file=none.json', 'none.json'),
    ('train_dataloader.drop_last=True', 'drop_last'),
    ('train_dataloader.dataset.type=HourglassLPSDataset',
     "'HourglassLSPDataset'"),
    ('model.head.decoder.type=HourglassHeatmp', "'HourglassHeatmap'"),
    ('default_hooks.checkpoint.type=Qqqq', "'Qqqq'"),
    ('val_evaluator.type=PCKhMetric', 'head size'),
    # mmengine builds optimizers when training starts.
    ('optim_wrapper.optimizer.type=Adamm', "'Adam"),
    ('optim_wrapper.optimizer.lrr=1', "'lrr'"),
    ('optim_wrapper.clip_grad=5', 'clip_grad'),
    ('optim_wrapper.optimizer.lr=fast', "lr='fast'"),
])
def test_an_impossible_training_is_refused_before_it(option, named,
                                                     training_error):
    assert named in training_error(
        '--cfg-options', 'train_dataloader.batch_size=100', option)


def test_weights_of_another_model_are_refused(error_of, training_error,
                                              project, tmp_path):
    other_model = tmp_path / 'other.pth'
    torch.save(dict(state_dict=torch.nn.Linear(2, 3).state_dict()),
               other_model)
    for tool, images, out in (('test', [], []),
                              ('predict', [project.folder / 'images'], []),
                              ('export_onnx', [], ['model.onnx'])):
        error = error_of(tool, *images, project.config, other_model, *out)
        for name in ('other.pth', 'weight', 'bias', 'backbone.'):
            assert name in error
    assert 'other.pth' in training_error('--resume', other_model)


@pytest.mark.parametrize('tool, arguments, named', [
    ('test', ['{config}', '{checkpoint}', '--out', '{checkpoint}'],
     '{checkpoint}'),
    ('test', ['{config}', '{checkpoint}', '--out', '{folder}/val.json'],
     'val.json'),
    ('test', ['{config}', '{checkpoint}', '--dump', 'd.json'], 'd.json'),
    ('export_onnx', ['{config}', '{checkpoint}', '{config}'], '{config}'),
    ('export_torch', ['{config}', '{checkpoint}', '{folder}'], '{folder}'),
    ('convert_checkpoint', ['{checkpoint}', '{checkpoint}'], '{checkpoint}'),
    ('publish_checkpoint', ['{config}', '{checkpoint}', '{config}', '--data',
                            'x'], '{config}'),
    ('score_predictions', ['{config}', '--ground-truth', '{checkpoint}',
                           '--dataset', 'mpii', '--zero-based', '--curve',
                           '{checkpoint}'], '{checkpoint}'),
    ('run', ['codec', '--out', '{folder}'], '{folder}'),
    ('compare_trainings', ['{work_dir}', '--out', '{config}'], '{config}'),
    ('predict', ['{folder}/images', '{config}', '{checkpoint}', '--out',
                 '{config}'], '{config}'),
    ('predict', ['{folder}/images', '{config}'], 'checkpoint'),
    ('test', ['{config}', 'nowhere.pth'], 'nowhere.pth'),
    ('convert_checkpoint', ['nowhere.pth', 'ours.pth'], 'nowhere.pth'),
])
def test_arguments_that_would_overwrite_or_lack_a_file(
        tool, arguments, named, error_of, trained):
    names = {name: str(path) for name, path in vars(trained).items()}
    before = trained.checkpoint.read_bytes(), trained.config.read_bytes()
    error = error_of(tool, *(text.format(**names) for text in arguments))
    assert named.format(**names) in error
    assert before == (trained.checkpoint.read_bytes(),
                      trained.config.read_bytes())


@pytest.mark.parametrize('input_name, arguments, named', [
    ('nowhere', [], 'nowhere'),
    ('empty', [], 'empty'),
    ('broken.jpg', [], 'broken.jpg'),
    ('broken.mp4', [], 'broken.mp4'),
    ('small.png', ['--bbox', '5', '5', '2', '9'], '5 5 2 9'),
    ('small.png', ['--bbox', '30', '0', '40', '9'], '20 x 10'),
    ('small.png', ['--device', 'meta'], 'meta'),
    ('small.png', ['--fast', '--cfg-options', 'model.backbone.type=ResNet'],
     'ResNet'),
    ('small.png', ['--out', '{inputs}'], 'inputs'),
    ('small.png', ['--out', '{inputs}/linked'], 'small.png'),
])
def test_input_that_cannot_be_predicted_is_named(
        input_name, arguments, named, error_of, trained, tmp_path):
    inputs = tmp_path / 'inputs'
    for name in ('empty', 'linked'):
        (inputs / name).mkdir(parents=True)
    for name in ('broken.jpg', 'broken.mp4'):
        (inputs / name).write_bytes(b'nothing')
    save_image(inputs / 'small.png', np.zeros((10, 20, 3), np.uint8))
    (inputs / 'linked' / 'small.png').symlink_to(inputs / 'small.png')
    image = (inputs / 'small.png').read_bytes()
    arguments = [text.format(inputs=inputs) for text in arguments]
    assert named in error_of('predict', inputs / input_name, trained.config,
                             trained.checkpoint, '--out', tmp_path / 'out',
                             *arguments)
    assert not list(tmp_path.glob('out/*'))
    assert (inputs / 'small.png').read_bytes() == image


@pytest.mark.parametrize('content, processes', [(b'', 0), (b'nothing', 1),
                                                (None, 0)])
def test_an_image_that_cannot_be_read_is_named(content, processes,
                                               training_error, project,
                                               tmp_path):
    """OpenCV raises one error for an empty file, mmcv another for others."""
    folder = tmp_path / 'two\nlines'
    if content is not None:
        folder = Path(shutil.copytree(
            project.folder / 'images', tmp_path / 'images'))
        (folder / 'train3.png').write_bytes(content)
    error = training_error(
        '--cfg-options', f'train_dataloader.dataset.data_prefix.img={folder}',
        f'train_dataloader.num_workers={processes}')
    assert 'skip_corrupt=True' in error
    if content is not None:
        assert str(folder / 'train3.png') in error and '(sample 3 ' in error


def test_a_programming_error_keeps_its_traceback(call_tool, project,
                                                 monkeypatch, tmp_path):

    def run_iter(self, index, batch):
        raise ValueError

    monkeypatch.setattr(EpochBasedTrainLoop, 'run_iter', run_iter)
    with pytest.raises(ValueError):
        call_tool('train', project.config, '--work-dir', tmp_path)


@pytest.mark.parametrize('tool, written, hidden, named', [
    ('export_onnx', 'model.pth', None, '.onnx'),
    ('export_torch', 'model.pth', None, '.pt2'),
    ('export_onnx', 'model.onnx', 'onnx', 'pip install'),
    ('export_onnx', 'model.onnx', 'onnxruntime', 'pip install'),
    ('export_torch', 'model.pt2', None, torch.__version__),
])
def test_what_cannot_be_exported_leaves_nothing_behind(
        tool, written, hidden, named, error_of, trained, tmp_path,
        monkeypatch):
    """Wrong suffixes, missing packages, a PyTorch that is too old."""
    if hidden is not None:
        monkeypatch.setitem(sys.modules, hidden, None)
    monkeypatch.setattr(export, 'can_export_programs', lambda: False)
    assert named in error_of(tool, trained.config, trained.checkpoint,
                             tmp_path / written)
    assert not list(tmp_path.iterdir())


def test_flat_heatmaps_are_not_decoded(error_of, call_tool, save_untrained,
                                       project, tmp_path, capsys):
    flat, path = tmp_path / 'flat.pth', tmp_path / 'model.onnx'
    save_untrained(project.config, flat, heatmaps=0)
    assert '126 of 126' in error_of(
        'export_onnx', project.config, flat, path, '--decode')
    assert not path.exists()
    # Heatmaps that are zero can be compared.
    call_tool('export_onnx', project.config, flat, path)
    assert '126 of 126 heatmaps' in capsys.readouterr().out
