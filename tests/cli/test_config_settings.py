"""Configs as commands read and change them."""
import argparse

import pytest
from mmengine.config import Config

from hourglass_plugin.cli import configs, train
from hourglass_plugin.cli.test import add_hooks, set_test_outputs


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text("""
model = dict(type='Network', depth=4, head=None)
train_dataloader = dict(batch_size=2)
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(type='OptimWrapper')
steps = [dict(end=1), dict(end=2)]
work_dir = 'runs'
""")
    return path


def test_options_replace_and_add_settings(config_file):
    config = configs.load_config(str(config_file), [
        'model.depth=3', 'model.widths=[8,16]', 'steps.1.end=5',
        'randomness.seed=7', 'work_dir=a=b'])
    assert config.model.to_dict() == dict(
        type='Network', depth=3, widths=[8, 16], head=None)
    assert [step['end'] for step in config.steps] == [1, 5]
    assert config.randomness.seed == 7
    assert config.work_dir == 'a=b'


@pytest.mark.parametrize('option', [
    'optim_wrapper.clip_grad.max_norm=10',
    'optim_wrapper.paramwise_cfg.norm_decay_mult=0',
    'optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult=2',
    'train_dataloader.sampler.shuffle=False',
    'dataset.filter_cfg.filter_empty_gt=False'])
def test_an_option_in_a_group_that_the_class_reads(config_file, option):
    with open(config_file, 'a') as file:
        file.write("dataset = dict(type='CocoDataset')\n")
    config = configs.load_config(str(config_file), [option])
    key, _, value = option.partition('=')
    for name in key.split('.'):
        config = config[name]
    assert str(config) == value
    with pytest.raises(ValueError):
        configs.load_config(str(config_file), [f'model.heads.{option}'])


def test_a_mistyped_setting_of_the_file_is_refused(config_file):
    with open(config_file, 'a') as file:
        file.write('codec = data_root = model_width = train_pipeline = 1\n')
    configs.load_config(str(config_file))
    with open(config_file, 'a') as file:
        file.write('train_confg = dict(max_epochs=3)\n')
    with pytest.raises(ValueError, match="'train_cfg'"):
        configs.load_config(str(config_file))


@pytest.mark.parametrize('argument, in_config, expected', [
    ('mine', 'its', 'mine'), (None, 'its', 'its'),
    (None, None, 'work_dirs/hg')])
def test_work_dir(argument, in_config, expected):
    config = Config(dict(work_dir=in_config))
    configs.set_work_dir(config, argument, 'configs/hg.py')
    assert config.work_dir == expected


def training(config_file, *options, **asked):
    config = configs.load_config(str(config_file), options)
    train.set_training(config, **asked)
    return config


def test_training_changes_the_asked_settings_only(config_file):
    plain = configs.load_config(str(config_file)).to_dict()
    plain['resume'] = False  # mmengine's default
    assert training(config_file).to_dict() == plain
    config = training(config_file, 'auto_scale_lr.base_batch_size=16',
                      validate=False, scale_learning_rate=True)
    assert config.to_dict() == dict(
        plain, val_cfg=None, val_dataloader=None, val_evaluator=None,
        auto_scale_lr=dict(base_batch_size=16, enable=True))


@pytest.mark.parametrize('device, expected', [
    ('cpu', dict(type='BFloat16OptimWrapper')),
    ('cuda', dict(type='AmpOptimWrapper', loss_scale='dynamic'))])
def test_mixed_precision_of_each_device(config_file, monkeypatch, device,
                                        expected):
    monkeypatch.setattr('mmengine.device.get_device', lambda: device)
    config = training(config_file, mixed_precision=True)
    assert config.optim_wrapper.to_dict() == expected


@pytest.mark.parametrize('resume, in_config, has_checkpoint, expected', [
    (None, False, True, (False, None)),
    ('auto', False, False, (True, None)),
    ('auto', False, True, (True, 'epoch_1.pth')),
    (None, True, True, (True, 'epoch_1.pth')),
    ('a.pth', False, True, (True, 'a.pth'))])
def test_resuming(config_file, tmp_path, resume, in_config, has_checkpoint,
                  expected):
    if has_checkpoint:
        (tmp_path / 'epoch_1.pth').touch()
    config = training(config_file, f'work_dir={tmp_path}',
                      f'resume={in_config}', resume=resume)
    path = config.get('load_from')
    assert (config.resume, path and path.rpartition('/')[2]) == expected


@pytest.mark.parametrize('options, asked, named', [
    # Without effect.
    (['depth=3'], {}, "'depth'"),
    (['model.dept.x=3'], {}, "'depth'"),
    (['steps.2.end=3'], {}, 'steps.2'),
    (['model.depth.x=3'], {}, 'model.depth'),
    (['model.head.type=Head'], {}, 'model.head'),
    (['=3'], {}, '=3'),
    (['model.widths=[8,(16]'], {}, '--cfg-options'),
    # Of other values or configs.
    ([], dict(scale_learning_rate=True), 'base_batch_size'),
    (['auto_scale_lr.base_batch_size=8', 'param_scheduler.type=OneCycleLR'],
     dict(scale_learning_rate=True), 'eta_max'),
    (['train_cfg.max_epochs=0'], {}, 'max_epochs=0'),
    (['train_cfg.val_interval=often'], {}, "val_interval='often'"),
    (['default_hooks.checkpoint.interval=0.5'], {}, 'interval=0.5'),
    (['optim_wrapper.type=Mine'], dict(mixed_precision=True), "'Mine'"),
    (['compile=True'], {}, 'CompileHook'),
    (['train_cfg=None'], {}, 'train_cfg')])
def test_an_option_that_the_config_does_not_allow(config_file, options, asked,
                                                  named):
    with pytest.raises(ValueError, match=named):
        training(config_file, *options, **asked)


@pytest.mark.parametrize('scope, kind, switch', [
    ('mmpose', 'HourglassVisualizationHook', dict(enable=True, out_dir='/o')),
    ('mmdet', 'DetVisualizationHook', dict(draw=True, test_out_dir='/o'))])
def test_visualization_keeps_the_settings_of_the_same_hook(
        scope, kind, switch):
    args = argparse.Namespace(
        show=False, show_dir='/o', interval=3, wait_time=1)
    expected = dict(type=kind, interval=3, show=False, wait_time=1, **switch)
    for before, more in ((dict(type=kind, x=6), dict(x=6)),
                         (dict(type='PoseVisualizationHook', x=1), {})):
        config = Config(dict(default_scope=scope,
                             default_hooks=dict(visualization=before)))
        configs.set_visualization(config, args)
        hook = config.default_hooks.visualization.to_dict()
        assert hook == {**expected, **more}


@pytest.mark.parametrize('outputs', [
    dict(dump='a.json'), dict(dump=None, official='a.json'),
    dict(dump=None, official_annotations='a.mat')])
def test_outputs_that_do_not_fit_are_refused(outputs):
    config = Config(dict(test_dataloader=dict(dataset={}), test_cfg={},
                         test_evaluator=dict(type='Metric')))
    with pytest.raises(ValueError):
        set_test_outputs(config, **outputs)
    set_test_outputs(config, 'a.pkl', 'a.mat')
    kinds = [metric['type'] for metric in config.test_evaluator]
    assert kinds == ['Metric', 'DumpResults', 'OfficialPredictionFile']


def test_fast_inference_is_one_hook_beside_the_report():
    config = Config(dict(model=dict(backbone=dict(type='StackedHourglass'))))
    for precision in ('float32', 'int8'):
        add_hooks(config, precision, None, {})
    add_hooks(config, None, 'page', dict(a='b'))
    assert config.custom_hooks == [
        dict(type='FastInferenceHook', precision='int8'),
        dict(type='ReportHook', out_dir='page', facts=dict(a='b'))]
