"""A NaN or infinite loss stops training before it reaches a checkpoint."""
import pytest
from mmengine.hooks import Hook
from small_runner import loader, small_runner

from hourglass_plugin.engine import InvalidLossHook


class Spoil(Hook):
    """Makes losses NaN, or gradients infinite, in an iteration."""

    priority = 'VERY_HIGH'

    def __init__(self, target, iteration):
        self.target = target
        self.iteration = iteration

    def before_train(self, runner):
        model = runner.model

        def spoil(value):
            if runner.iter != self.iteration:
                return value
            return value * float('nan' if self.target == 'losses' else 'inf')

        if self.target == 'losses':
            model.backbone.register_forward_pre_hook(
                lambda module, inputs: (spoil(inputs[0]), ))
        else:  # which spoil the parameters
            next(model.parameters()).register_hook(spoil)


def spoiled_runner(work_dir, target, iteration, **options):
    """Eight samples in order, four iterations an epoch, two epochs."""
    return small_runner(
        work_dir, target, train_dataloader=loader(8),
        default_hooks=dict(
            checkpoint=dict(type='ResumableCheckpointHook', interval=1),
            invalid_loss=dict(type='InvalidLossHook', **options)),
        custom_hooks=[Spoil(target, iteration)])


# Spoilt parameters spoil the loss of the next iteration.
@pytest.mark.parametrize('target, iteration, options, found_in', [
    ('losses', 6, {}, 6),
    ('gradients', 5, {}, 6),
    ('losses', 5, dict(interval=7), 6)])
def test_invalid_loss_names_batch_and_checkpoint(tmp_path, target, iteration,
                                                 options, found_in):
    runner = spoiled_runner(tmp_path, target, iteration, **options)
    with pytest.raises(FloatingPointError) as stopped:
        runner.train()
    assert runner.iter == found_in
    message = str(stopped.value)
    # The third batch of the second epoch.
    assert 'iteration 7 (epoch 2, batch 3)' in message
    assert 'loss_stack_1 nan' in message and 'learning rate 0.1;' in message
    assert '4.png, 5.png.' in message and '3.png' not in message
    assert str(tmp_path / 'epoch_1.pth') in message
    assert not (tmp_path / 'epoch_2.pth').exists()


@pytest.mark.parametrize('target, options', [
    ('gradients', {}),
    ('losses', dict(interval=100))])
def test_checkpoint_with_invalid_parameters_is_not_saved(
        tmp_path, target, options):
    """Though the loss of the epoch's last iteration was finite or unread."""
    with pytest.raises(FloatingPointError) as stopped:
        spoiled_runner(tmp_path, target, 7, **options).train()
    assert 'backbone.stem' in str(stopped.value)
    assert (tmp_path / 'last_checkpoint').read_text() == str(
        tmp_path / 'epoch_1.pth')
    assert not (tmp_path / 'epoch_2.pth').exists()


def test_interval_below_one_is_refused():
    with pytest.raises(ValueError):
        InvalidLossHook(interval=0)
