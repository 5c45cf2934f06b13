"""Wrong input ends a tool with one line that names it, and status 1."""
import re

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from tool_process import run_tool

from hourglass_plugin.visualization import save_image


@pytest.fixture
def other_model(tmp_path):
    """A checkpoint of a network that is not a pose network."""
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict=torch.nn.Linear(2, 3).state_dict()), path)
    return path


def test_a_missing_checkpoint_is_one_line_on_stderr(project, tmp_path):
    finished = run_tool('test', project.config, tmp_path / 'none.pth')
    assert finished.returncode == 1
    *notes, last = finished.stderr.splitlines()
    assert last.startswith('test.py: error: ') and 'none.pth' in last
    assert not any('Traceback' in note for note in notes)
    assert not finished.stdout


@pytest.mark.parametrize('tool', ['train', 'test', 'predict',
                                  'browse_dataset'])
def test_a_missing_config_is_named(tool, call_tool, capsys):
    inputs = {'test': ['c.pth'], 'predict': ['c.pth']}.get(tool, [])
    images = ['images'] if tool == 'predict' else []
    with pytest.raises(SystemExit) as stopped:
        call_tool(tool, *images, 'no_config.py', *inputs)
    assert stopped.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f'{tool}.py: error: ') and 'no_config.py' in last


@pytest.mark.parametrize('content, message', [
    ('model = (', 'SyntaxError'),
    ('_base_ = "nowhere.py"', 'nowhere.py'),
    ('answer = 42', 'no `model`'),
])
@pytest.mark.parametrize('tool', ['train', 'browse_dataset'])
def test_a_broken_config_is_named(tool, content, message, error_of, tmp_path):
    config = tmp_path / 'broken.py'
    config.write_text(content)
    error = error_of(tool, config)
    assert 'broken.py' in error and message in error


@pytest.mark.parametrize('option, message', [
    ('train_cfg', 'key=value'),
    ('train_confg.max_epochs=2', "'train_cfg'"),
    ('model.backbon.num_stacks=2', "'backbone'"),
    ('train_dataloader.batch_size.x=2', 'train_dataloader.batch_size'),
    ('param_scheduler.7.eta_max=2', 'param_scheduler.7'),
    ('model.backbone.num_stack=2', 'num_stack'),
    ('model.backbone.type=Hourglas', 'Hourglas'),
    ('train_dataloader.dataset.ann_file=none.json', 'none.json'),
])
def test_an_option_that_does_not_fit_is_named(option, message, error_of,
                                              project, tmp_path):
    error = error_of('train', project.config, '--work-dir', tmp_path,
                     '--cfg-options', option)
    assert message in error


@pytest.mark.parametrize('option, message', [
    ('train_cfg.max_epochs=0', 'max_epochs=0'),
    ('train_cfg.val_interval=0', 'val_interval=0'),
    ('train_cfg.val_interval=often', "val_interval='often'"),
    ('default_hooks.checkpoint.interval=0.5', 'interval=0.5'),
    ('default_hooks.checkpoint.max_keep_ckpts=all', "ckpts='all'"),
    ('optim_wrapper.accumulative_counts=0', 'counts=0'),
    ('optim_wrapper.optimizer.lr=-1', 'lr=-1'),
    ('optim_wrapper.optimizer.lr=fast', "lr='fast'"),
    ('train_dataloader.drop_last=True', 'drop_last'),
    ('optim_wrapper.optimizer.eps=-1', 'epsilon'),
    ('optim_wrapper.optimizer.type=Adamm', "'Adam"),
    ('optim_wrapper.type=OptimWraper', "'OptimWrapper'"),
    ('train_dataloader.dataset.type=HourglassLPSDataset',
     "'HourglassLSPDataset'"),
    ('model.head.decoder.type=HourglassHeatmp', "'HourglassHeatmap'"),
    ('default_hooks.checkpoint.type=Qqqq', "'Qqqq'"),
    ('optim_wrapper.clip_grad=5', 'optim_wrapper'),
    ('val_evaluator.type=PCKhMetric', 'head size'),
])
def test_an_impossible_training_is_refused_before_it(option, message,
                                                      error_of, project,
                                                      tmp_path):
    error = error_of('train', project.config, '--work-dir', tmp_path,
                     '--cfg-options', 'train_dataloader.batch_size=100',
                     option)
    assert message in error


def test_a_mistyped_setting_of_a_late_part_is_named(error_of, project,
                                                    tmp_path):
    # mmengine builds optimizers when training starts.
    error = error_of('train', project.config, '--work-dir', tmp_path,
                     '--cfg-options', 'optim_wrapper.optimizer.lrr=1')
    assert "'lrr'" in error


@pytest.mark.parametrize('tool', ['test', 'predict'])
def test_weights_of_another_model_are_refused(tool, error_of, project,
                                              other_model, tmp_path):
    images = [project.folder / 'images'] if tool == 'predict' else []
    out = ['--work-dir'] if tool == 'test' else ['--out']
    error = error_of(tool, *images, project.config, other_model, *out,
                     tmp_path / 'out')
    assert 'other.pth' in error
    for name in ('weight', 'bias', 'backbone.'):
        assert name in error


@pytest.mark.parametrize('content', [b'', b'not a checkpoint'])
def test_a_file_that_is_not_a_checkpoint_is_named(content, error_of, project,
                                           tmp_path):
    path = tmp_path / 'broken.pth'
    path.write_bytes(content)
    assert 'broken.pth' in error_of('test', project.config, path)


@pytest.mark.parametrize('arguments, message', [
    (['--dump', 'predictions.json'], '.pkl'),
    (['--launcher', 'pytorch'], 'torchrun'),
])
def test_arguments_of_test_that_do_not_fit_are_named(
        arguments, message, error_of, project, trained, tmp_path, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    error = error_of('test', project.config, trained.checkpoint, '--work-dir',
                     tmp_path, *arguments)
    assert message in error


@pytest.mark.parametrize('tool, arguments, message', [
    ('test', ['{config}', '{checkpoint}', '--out', '{checkpoint}'],
     'overwrite'),
    ('test', ['{config}', '{checkpoint}', '--out', '{folder}/val.json'],
     'overwrite'),
    ('test', ['{config}', '{checkpoint}', '--dump', '{folder}/d.pkl', '--out',
              '{folder}/d.pkl'], 'overwrite'),
    ('test', ['{config}', '{checkpoint}', '--out', '{folder}'], 'a folder'),
    ('export_onnx', ['{config}', '{checkpoint}', '{config}'], 'overwrite'),
    ('export_torch', ['{config}', '{checkpoint}', '{folder}'], 'a folder'),
    ('convert_checkpoint', ['{checkpoint}', '{checkpoint}'], 'overwrite'),
    ('publish_checkpoint', ['{config}', '{checkpoint}', '{config}', '--data',
                            'x'], 'overwrite'),
    ('score_predictions', ['{config}', '--ground-truth', '{checkpoint}',
                           '--dataset', 'mpii', '--zero-based', '--curve',
                           '{checkpoint}'], 'overwrite'),
    ('run', ['codec', '--out', '{folder}'], 'a folder'),
    ('compare_trainings', ['{work_dir}', '--out', '{config}'], 'no folder'),
    ('predict', ['{folder}/images', '{config}', '{checkpoint}', '--out',
                 '{config}'], 'no folder'),
])
def test_outputs_that_would_overwrite_or_cannot_be_written(
        tool, arguments, message, error_of, trained, tmp_path):
    names = {name: str(path) for name, path in vars(trained).items()}
    before = trained.checkpoint.read_bytes(), trained.config.read_bytes()
    assert message in error_of(tool,
                               *(text.format(**names) for text in arguments))
    assert before == (trained.checkpoint.read_bytes(),
                      trained.config.read_bytes())


def test_a_picture_does_not_overwrite_the_image_it_links_to(
        error_of, trained, tmp_path):
    (tmp_path / 'out').mkdir()
    image = trained.folder / 'images' / 'val3.png'
    (tmp_path / 'out' / 'val3.png').symlink_to(image)
    error = error_of('predict', trained.folder / 'images', trained.config,
                     trained.checkpoint, '--out', tmp_path / 'out')
    assert 'val3.png would overwrite' in error


@pytest.mark.parametrize('arguments, message', [
    (['--amp', '--cfg-options', 'optim_wrapper.type=Mine'], "'Mine'"),
    (['--resume', 'none.pth'], 'none.pth'),
])
def test_arguments_of_train_that_do_not_fit_are_named(arguments, message,
                                                      error_of, project,
                                                      tmp_path):
    assert message in error_of('train', project.config, '--work-dir', tmp_path,
                               *arguments)


def test_weights_alone_cannot_be_resumed(error_of, project, other_model,
                                         tmp_path):
    error = error_of('train', project.config, '--work-dir', tmp_path,
                     '--resume', other_model)
    assert 'load_from' in error


@pytest.mark.parametrize('input_name, arguments, message', [
    ('nowhere', [], 'nowhere'),
    ('empty', [], 'no images'),
    ('broken.jpg', [], 'broken.jpg'),
    ('broken.mp4', [], 'broken.mp4'),
    ('small.png', ['--bbox', '5', '5', '2', '9'], '5 5 2 9'),
    ('small.png', ['--bbox', '0', '0', 'inf', 'inf'], '--bbox 0 0 inf inf'),
    ('small.png', ['--bbox', '0', 'nan', '9', '9'], '--bbox 0 nan 9 9'),
    ('small.png', ['--bbox', '1', '0', '1.00000001', '9'], '--bbox 1 0 1 9'),
    ('small.png', ['--device', 'meta'], "'meta' cannot be used"),
    ('small.png', ['--bbox', '30', '0', '40', '9'], '20 x 10'),
    ('small.png', ['--device', 'abacus'], 'abacus'),
    ('small.png', ['--out', '{inputs}'], 'overwrite'),
])
def test_input_that_cannot_be_predicted_is_named(
        input_name, arguments, message, error_of, trained, tmp_path):
    inputs = tmp_path / 'inputs'
    (inputs / 'empty').mkdir(parents=True)
    for name in ('broken.jpg', 'broken.mp4'):
        (inputs / name).write_bytes(b'nothing')
    save_image(inputs / 'small.png', np.zeros((10, 20, 3), np.uint8))
    before = sorted(inputs.iterdir())
    arguments = [text.format(inputs=inputs) for text in arguments]
    error = error_of('predict', inputs / input_name, trained.config,
                     trained.checkpoint, '--out', tmp_path / 'out', *arguments)
    assert message in error
    assert not (tmp_path / 'out').exists() or not list(
        (tmp_path / 'out').iterdir())
    assert sorted(inputs.iterdir()) == before


def test_a_batch_of_endless_size_is_named(call_tool, trained, capsys):
    with pytest.raises(SystemExit):
        call_tool('predict', trained.folder, '--batch-size', 10**30)
    assert '000 is not a whole number' in capsys.readouterr().err


@pytest.mark.parametrize('processes', [0, 1])
def test_an_image_whose_folder_has_two_lines_is_named(processes, error_of,
                                                      project, tmp_path):
    folder = tmp_path / 'two\nlines'
    error = error_of(
        'train', project.config, '--work-dir', tmp_path, '--cfg-options',
        f'train_dataloader.dataset.data_prefix.img={folder}',
        f'train_dataloader.num_workers={processes}')
    assert re.search(r"two\\nlines/train\d\.png' cannot be used", error)


@pytest.mark.parametrize('content', [b'', b'nothing'])
@pytest.mark.parametrize('processes', [0, 1])
def test_an_image_that_cannot_be_read_is_named(content, processes, error_of,
                                               project, tmp_path):
    """OpenCV raises one error for an empty file, mmcv another for others."""
    (tmp_path / 'images').mkdir()
    for image in (project.folder / 'images').iterdir():
        (tmp_path / 'images' / image.name).write_bytes(image.read_bytes())
    broken = tmp_path / 'images' / 'train3.png'
    broken.write_bytes(content)
    error = error_of(
        'train', project.config, '--work-dir', tmp_path, '--cfg-options',
        f'train_dataloader.dataset.data_prefix.img={tmp_path / "images"}',
        f'train_dataloader.num_workers={processes}')
    assert error.startswith(f"'{broken}' cannot be used: not an image")
    assert '(sample 3 of ' in error
    assert 'skip_corrupt=True' in error


def test_a_programming_error_keeps_its_traceback(call_tool, project,
                                                 monkeypatch, tmp_path):

    def train(self):
        raise ValueError('a bug')

    monkeypatch.setattr(Runner, 'train', train)
    with pytest.raises(ValueError, match='a bug'):
        call_tool('train', project.config, '--work-dir', tmp_path)
