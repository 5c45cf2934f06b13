"""The runner of commands: its checks, its screen, schedules when resuming."""
import logging

import pytest
from mmengine.config import Config
from torch import nn

from hourglass_plugin.cli import runner as runners


@pytest.mark.parametrize('text, shown', [
    ('Epoch(val) [1][2/2]  mpii/PCKh@0.5: 78.0  mpii/PCKh@0.5/Head: 81.2  '
     'time: 0.1', 'Epoch(val) [1][2/2]  mpii/PCKh@0.5: 78.0  time: 0.1'),
    ('Saved to a/b/c: yes', 'Saved to a/b/c: yes'),
])
def test_the_screen_shows_scores_per_joint_once(text, shown):
    formatter = runners._ShortScores(logging.Formatter())
    record = logging.LogRecord('name', logging.INFO, '', 0, text, None, None)
    assert formatter.format(record) == shown


def runner_of_epochs(tmp_path, epochs, **scheduler):
    """One iteration in an epoch, and one cycle."""
    return runners._QuietlyBuiltRunner(
        model=nn.Linear(1, 1),
        work_dir=str(tmp_path),
        train_dataloader=dict(
            batch_size=4,
            dataset=list(range(4)),
            sampler=dict(type='SeededSampler')),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.8)),
        param_scheduler=dict(type='OneCycleLR', eta_max=0.8, **scheduler),
        default_scope='mmpose',
        experiment_name=f'{tmp_path.name}_{epochs}')


def test_one_cycle_that_ends_too_early_is_refused(tmp_path):
    runner = runner_of_epochs(tmp_path, 5, total_steps=3)
    with pytest.raises(ValueError) as error:
        runners.build_loops(runner, 'train')
    assert 'total_steps=3' in str(error.value)


@pytest.mark.parametrize('epochs, scheduler', [
    (3, dict(total_steps=3)),
    (5, dict()),
    (5, dict(total_steps=3, begin=1, end=4)),
    (5, dict(total_steps=5, by_epoch=False)),
])
def test_one_cycle_that_lasts(tmp_path, epochs, scheduler):
    runners.build_loops(
        runner_of_epochs(tmp_path, epochs, **scheduler), 'train')


def test_one_cycle_is_not_scaled_with_the_batch_size(tmp_path):
    """It sets the rate by itself; mmengine would scale another number."""
    runner = runner_of_epochs(tmp_path, 3)
    runner.auto_scale_lr = dict(base_batch_size=16, enable=True)
    with pytest.raises(ValueError) as error:
        runners.build_loops(runner, 'train')
    assert 'eta_max' in str(error.value)


def test_schedules_that_were_shorter_are_named(tmp_path, capsys):
    by_length = {}
    for epochs in (3, 5):
        runner = by_length[epochs] = runner_of_epochs(tmp_path, epochs)
        runners.build_loops(runner, 'train')
        runners.build_optimizer(runner)
        runner.param_schedulers = runner.build_param_scheduler(
            runner.param_schedulers)
    by_length[3].save_checkpoint(str(tmp_path), 'epoch_3.pth')
    capsys.readouterr()
    by_length[5].resume(str(tmp_path / 'epoch_3.pth'))
    printed = ''.join(capsys.readouterr())
    for name in ('OneCycleLR.end', 'OneCycleLR.total_steps'):
        assert name in printed


def test_a_damaged_checkpoint_names_an_older_one(tmp_path):
    runner = runner_of_epochs(tmp_path, 3)
    damaged, older = tmp_path / 'epoch_2.pth', tmp_path / 'epoch_1.pth'
    damaged.write_bytes(b'nothing')
    with pytest.raises(ValueError) as error:
        runners.check_resumable(runner, str(damaged))
    assert 'epoch_1' not in str(error.value)
    older.touch()
    with pytest.raises(ValueError) as error:
        runners.check_resumable(runner, str(damaged))
    assert str(older) in str(error.value)
    runners.check_resumable(runner, None)


def test_batches_are_pinned_for_gpus_unless_the_config_says_otherwise():
    config = Config(
        dict(
            train_dataloader=dict(batch_size=1),
            val_dataloader=dict(pin_memory=False),
            test_dataloader=None))
    runners._pin_memory(config)
    assert config.train_dataloader == dict(batch_size=1, pin_memory=True)
    assert config.val_dataloader == dict(pin_memory=False)
    assert config.test_dataloader is None
