"""Configs, checkpoints and the log's lines, as the tools treat them."""
import json
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from hourglass_plugin.cli import command_line


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text("""
model = dict(type='Network', depth=4, head=None)
train_dataloader = dict(batch_size=2)
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(type='OptimWrapper')
steps = [dict(end=1), dict(end=2)]
""")
    return path


def test_options_replace_and_add_settings(config_file):
    config = command_line.load_config(str(config_file), [
        'model.depth=3', 'model.widths=[8,16]', 'steps.1.end=5',
        'randomness.seed=7', 'work_dir=a=b'
    ])
    assert config.model.to_dict() == dict(
        type='Network', depth=3, widths=[8, 16], head=None)
    assert [step['end'] for step in config.steps] == [1, 5]
    assert config.randomness.seed == 7
    assert config.work_dir == 'a=b'


@pytest.mark.parametrize('option, message', [
    ('depth=3', "no 'depth'"),
    ('model.dept.x=3', "no 'model.dept'; there is 'depth'"),
    ('steps.2.end=3', "no 'steps.2'; there is 0, 1"),
    ('model.depth.x=3', 'model.depth is 4'),
    ('model.head.type=Head', 'model.head is None'),
    ('=3', 'key=value'),
    ('model.widths=[8,(16]', '--cfg-options'),
])
def test_an_option_that_would_do_nothing_is_refused(config_file, option,
                                                    message):
    with pytest.raises(ValueError, match=message):
        command_line.load_config(str(config_file), [option])


def test_a_mistyped_setting_of_the_file_is_refused(config_file):
    with open(config_file, 'a') as file:
        file.write('codec = data_root = model_width = train_pipeline = 1\n')
    command_line.load_config(str(config_file))
    with open(config_file, 'a') as file:
        file.write('train_confg = dict(max_epochs=3)\n')
    with pytest.raises(ValueError, match="tiny.py.*'train_confg'.*'train_cfg"):
        command_line.load_config(str(config_file))


@pytest.mark.parametrize('argument, in_config, expected', [
    ('mine', 'its', 'mine'),
    (None, 'its', 'its'),
    (None, None, 'work_dirs/hg'),
])
def test_work_dir(argument, in_config, expected):
    config = Config(dict(work_dir=in_config))
    command_line.set_work_dir(config, argument, 'configs/hg.py')
    assert config.work_dir == expected


def training(config_file, **changes):
    config = command_line.load_config(str(config_file))
    asked = dict(
        resume=None,
        mixed_precision=False,
        validate=True,
        scale_learning_rate=False)
    command_line.set_training(config, **{**asked, **changes})
    return config


@pytest.mark.parametrize('device, expected', [
    ('cpu', dict(type='BFloat16OptimWrapper')),
    ('cuda', dict(type='AmpOptimWrapper', loss_scale='dynamic')),
])
def test_mixed_precision_of_each_device(config_file, monkeypatch, device,
                                        expected):
    monkeypatch.setattr(command_line, 'get_device', lambda: device)
    config = training(config_file, mixed_precision=True)
    assert config.optim_wrapper.to_dict() == expected


@pytest.mark.parametrize('resume, expected', [
    (None, (False, None)),
    ('auto', (True, None)),
    ('a.pth', (True, 'a.pth')),
])
def test_resuming(config_file, resume, expected):
    config = training(config_file, resume=resume)
    assert (config.resume, config.get('load_from')) == expected


@pytest.mark.parametrize('asked, message', [
    (dict(scale_learning_rate=True), 'base_batch_size'),
    (dict(mixed_precision=True), "'Mine'"),
])
def test_what_the_config_does_not_allow_is_named(config_file, asked, message):
    with open(config_file, 'a') as file:
        file.write("optim_wrapper = dict(type='Mine')")
    with pytest.raises(ValueError, match=message):
        training(config_file, **asked)


def test_training_without_validation(config_file):
    config = training(config_file, validate=False)
    assert (config.val_cfg, config.val_dataloader,
            config.val_evaluator) == (None, None, None)


def test_pictures_keep_the_settings_of_the_configs_hook():
    arguments = command_line.argparse.Namespace(
        show=False, show_dir='out', interval=3, wait_time=1)
    config = Config(
        dict(
            default_hooks=dict(
                visualization=dict(type='HourglassVisualizationHook', sheet_size=6))))
    command_line.set_pictures(config, arguments)
    hook = config.default_hooks.visualization
    assert (hook.sheet_size, hook.enable, hook.out_dir) == (6, True, 'out')

    config = Config(
        dict(
            default_hooks=dict(
                visualization=dict(type='PoseVisualizationHook', x=1))))
    command_line.set_pictures(config, arguments)
    hook = config.default_hooks.visualization
    assert hook.type == 'HourglassVisualizationHook' and 'x' not in hook


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('wrap', [dict, lambda x: dict(state_dict=x)])
def test_weights_are_loaded(prefix, wrap):
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    weights = {
        prefix + key: value
        for key, value in source.state_dict().items()
    }
    command_line.load_weights(target, wrap(weights), 'a.pth')
    assert torch.equal(target.weight, source.weight)
    assert torch.equal(target.bias, source.bias)


@pytest.mark.parametrize('weights, message', [
    (dict(weight=torch.zeros(3, 2)), r'which has 2: 1 missing \(bias\)'),
    (dict(
        weight=torch.zeros(3, 2), bias=torch.zeros(3), scale=torch.zeros(1)),
     r'1 unknown to it \(scale\)'),
    (dict(weight=torch.zeros(3, 4), bias=torch.zeros(3)),
     r'1 of another size \(weight \(3, 4\) for \(3, 2\)\)'),
    ({}, r'2 missing \(weight, bias\)'),
])
def test_weights_that_do_not_fit_are_counted(weights, message):
    with pytest.raises(ValueError, match='a.pth.*' + message):
        command_line.load_weights(nn.Linear(2, 3), weights, 'a.pth')


@pytest.mark.parametrize('value', [float('nan'), float('-inf')])
def test_weights_that_are_no_numbers_are_refused(value):
    weights = dict(weight=torch.zeros(3, 2), bias=torch.zeros(3))
    weights['bias'][1] = value
    with pytest.raises(ValueError, match='a.pth cannot be used: bias has'):
        command_line.load_weights(nn.Linear(2, 3), weights, 'a.pth')


def test_a_batch_norms_count_may_be_missing():
    model = nn.BatchNorm1d(2)
    weights = model.state_dict()
    del weights['num_batches_tracked']
    command_line.load_weights(model, weights, 'a.pth')
    assert int(model.num_batches_tracked) == 0


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / 'scores.json'
    command_line.write_json(str(path), dict(score=1.5))
    with pytest.raises(TypeError):
        command_line.write_json(str(path), dict(score=object()))
    assert json.loads(path.read_text()) == dict(score=1.5)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('text, shown', [
    ('Epoch(val) [1][2/2]  mpii/PCKh@0.5: 78.0  mpii/PCKh@0.5/Head: 81.2  '
     'time: 0.1', 'Epoch(val) [1][2/2]  mpii/PCKh@0.5: 78.0  time: 0.1'),
    ('Saved to a/b/c: yes', 'Saved to a/b/c: yes'),
])
def test_the_screen_shows_scores_per_joint_once(text, shown):
    formatter = command_line._ShortScores(logging.Formatter())
    record = logging.LogRecord('name', logging.INFO, '', 0, text, None, None)
    assert formatter.format(record) == shown


def test_scaling_the_learning_rate_scales_the_peak_of_one_cycle(tmp_path):
    """Else nothing but mmengine's message would change: the cycle sets the
    rate by itself."""
    runner = command_line._QuietlyBuiltRunner(
        model=nn.Linear(1, 1),
        work_dir=str(tmp_path),
        train_dataloader=dict(batch_size=4, dataset=None, sampler=None),
        train_cfg=dict(by_epoch=True, max_epochs=10),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.8)),
        param_scheduler=[
            dict(type='OneCycleLR', eta_max=0.8, total_steps=10, pct_start=0.3)
        ],
        auto_scale_lr=dict(base_batch_size=16, enable=True),
        experiment_name='peak_of_one_cycle')
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.scale_lr(wrapper, runner.auto_scale_lr)
    scheduler = PARAM_SCHEDULERS.build(runner.param_schedulers[0],
                                       default_args=dict(optimizer=wrapper))
    rates = []
    for _ in range(10):
        rates += wrapper.get_lr()['lr']
        wrapper.optimizer.step()
        scheduler.step()
    # A quarter of the batch is a quarter of the rate.
    assert max(rates) == pytest.approx(0.2)


def runner_of_epochs(tmp_path, epochs, **scheduler):
    """One iteration in an epoch, and one cycle."""
    return command_line._QuietlyBuiltRunner(
        model=nn.Linear(1, 1),
        work_dir=str(tmp_path),
        train_dataloader=dict(
            batch_size=4, dataset=list(range(4)), sampler=dict(
                type='SeededSampler')),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.8)),
        param_scheduler=dict(type='OneCycleLR', eta_max=0.8, **scheduler),
        default_scope='mmpose',
        experiment_name=f'{tmp_path.name}_{epochs}')


def test_one_cycle_that_ends_too_early_is_refused(tmp_path):
    message = ('total_steps=3, but the training has 5 epochs: take '
               'total_steps out')
    with pytest.raises(ValueError, match=message):
        command_line.build_loops(
            runner_of_epochs(tmp_path, 5, total_steps=3), 'train')


@pytest.mark.parametrize('epochs, scheduler', [
    (3, dict(total_steps=3)),
    (5, dict()),
    (5, dict(total_steps=3, begin=1, end=4)),
    (5, dict(total_steps=5, by_epoch=False)),
])
def test_one_cycle_that_lasts(tmp_path, epochs, scheduler):
    command_line.build_loops(
        runner_of_epochs(tmp_path, epochs, **scheduler), 'train')


def test_schedules_that_were_shorter_are_named(tmp_path, capsys):
    runners = []
    for epochs in (3, 5):
        runner = runner_of_epochs(tmp_path, epochs)
        command_line.build_loops(runner, 'train')
        runner.optim_wrapper = runner.build_optim_wrapper(
            runner.optim_wrapper)
        runner.param_schedulers = runner.build_param_scheduler(
            runner.param_schedulers)
        runners.append(runner)
    runners[0].save_checkpoint(str(tmp_path), 'epoch_3.pth')
    capsys.readouterr()
    runners[1].resume(str(tmp_path / 'epoch_3.pth'))
    printed = ''.join(capsys.readouterr())
    for name in ('end', 'total_steps'):
        assert f'OneCycleLR.{name} of the learning rate is 3, as it was ' \
            'when this training began, not 5' in printed


def test_resuming_takes_the_seed_of_the_augmentation_along(tmp_path):
    """mmengine builds the sampler before it reads the checkpoint's seed."""

    def runner(seed):
        return command_line._QuietlyBuiltRunner(
            model=nn.Linear(1, 1),
            work_dir=str(tmp_path),
            train_dataloader=dict(
                batch_size=1,
                dataset=list(range(4)),
                sampler=dict(type='SeededSampler')),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            randomness=dict(seed=seed),
            default_scope='mmpose',
            experiment_name=f'seed_{seed}')

    first = runner(7)
    first.save_checkpoint(str(tmp_path), 'epoch_1.pth', save_optimizer=False)
    second = runner(8)
    sampler = second.train_loop.dataloader.sampler
    assert sampler.seed == 8
    second.resume(
        str(tmp_path / 'epoch_1.pth'),
        resume_optimizer=False,
        resume_param_scheduler=False)
    assert sampler.seed == second.seed == 7
    assert [index.seed[0] for index in sampler] == [7] * 4


def test_batches_are_pinned_for_gpus_unless_the_config_says_otherwise():
    config = Config(
        dict(
            train_dataloader=dict(batch_size=1),
            val_dataloader=dict(pin_memory=False),
            test_dataloader=None))
    command_line._pin_memory(config)
    assert config.train_dataloader == dict(batch_size=1, pin_memory=True)
    assert config.val_dataloader == dict(pin_memory=False)
    assert config.test_dataloader is None
