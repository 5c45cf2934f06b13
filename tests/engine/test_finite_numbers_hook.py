"""Numbers that are none stop a training, or their step is left out."""
from collections import Counter

import pytest
import torch
from mmengine.hooks import Hook
from small_runner import NoisePeople, small_runner
from test_runtime_info_hook import CLIPPED, DEFERRED, CurrentIteration, Waits

from hourglass_plugin.engine.delayed_flags import DelayedFlags

ADAM = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01))


def hooks(max_skipped=0):
    return dict(
        DEFERRED,
        checkpoint=dict(type='ResumableCheckpointHook', interval=1),
        finite_numbers=dict(
            type='InvalidLossHook', max_skipped=max_skipped))


class Spoil(Hook):
    """Makes losses or gradients of some iterations NaN or infinite."""

    def __init__(self, what, iterations):
        self.what = what
        self.iterations = iterations

    def before_train(self, runner):
        model = runner.model

        def spoil(value):
            if runner.iter not in self.iterations:
                return value
            return value * float('nan' if self.what == 'losses' else 'inf')

        if self.what == 'losses':
            # Before norms, whose running statistics are spoiled, too.
            model.backbone.register_forward_pre_hook(
                lambda module, inputs: (spoil(inputs[0]), ))
        else:
            next(model.parameters()).register_hook(spoil)


def train(work_dir, name, people=8, max_skipped=0, **options):
    """Four iterations an epoch, in the order of the data set."""
    arguments = dict(
        people=people,
        default_hooks=hooks(max_skipped),
        optim_wrapper=ADAM,
        train_dataloader=dict(
            batch_size=2,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='SeededSampler', shuffle=False),
            dataset=NoisePeople(people)))
    runner = small_runner(work_dir, name, **{**arguments, **options})
    runner.train()
    return runner


@pytest.mark.parametrize('what, said', [
    ('losses', 'loss nan, loss_stack_1 nan, loss_stack_2 nan, '
     'gradients not finite; files'),
    ('gradients', 'gradients not finite (in several processes the cause may '
     "be in another's batch); files"),
])
def test_message_and_checkpoint(tmp_path, what, said):
    with pytest.raises(FloatingPointError) as stopped:
        train(tmp_path, what, custom_hooks=[Spoil(what, [6])])
    message = str(stopped.value)
    # The third batch of the second epoch.
    assert message.startswith('iteration 7 (epoch 2, batch 3) has numbers '
                              'that are not finite: learning rate 0.01; loss ')
    assert said in message
    assert 'files of the batch: 4.png, 5.png. ' in message
    assert (f'The last good checkpoint is {tmp_path}/epoch_1.pth, and '
            '--resume goes on from it') in message
    assert not (tmp_path / 'epoch_2.pth').exists()


def state(runner):
    """Weights, running statistics and the optimizer's own."""
    moments = runner.optim_wrapper.optimizer.state.values()
    return [
        *runner.model.state_dict().values(),
        *(value for state in moments for value in state.values())
    ]


@pytest.mark.parametrize('what', ['losses', 'gradients'])
def test_a_skipped_step_has_not_been(tmp_path, what):
    skipping = train(
        tmp_path / 'skipping',
        what,
        epochs=1,
        max_skipped=1,
        custom_hooks=[Spoil(what, [3])])
    assert skipping.message_hub.get_info('skipped_steps') == 1
    # The same without the last batch.
    without = train(tmp_path / 'without', what, people=6, epochs=1)
    ours, reference = state(skipping), state(without)
    assert len(ours) == len(reference) > 100
    assert all(map(torch.equal, ours, reference))


def test_accumulated_gradients_are_skipped_together(tmp_path):
    skipping = train(
        tmp_path / 'skipping',
        'accumulated',
        epochs=1,
        max_skipped=1,
        optim_wrapper=dict(ADAM, accumulative_counts=2),
        custom_hooks=[Spoil('losses', [2])])
    assert skipping.message_hub.get_info('skipped_steps') == 1
    without = train(
        tmp_path / 'without',
        'accumulated',
        people=4,
        epochs=1,
        optim_wrapper=dict(ADAM, accumulative_counts=2))
    names = [name for name, _ in skipping.model.named_parameters()]
    ours, reference = (x.model.state_dict() for x in (skipping, without))
    assert all(torch.equal(ours[name], reference[name]) for name in names)
    # The good half of the step moved the running statistics, as it may.
    assert all(torch.isfinite(value).all() for value in ours.values())


def test_limit_holds_across_a_resumed_training(tmp_path):
    train(
        tmp_path,
        'first',
        epochs=1,
        max_skipped=2,
        custom_hooks=[Spoil('losses', [1, 2])])
    with pytest.raises(
            FloatingPointError, match=r'iteration 6 .* max_skipped=2 such '
            'steps were left out before'):
        train(
            tmp_path,
            'second',
            max_skipped=2,
            resume=True,
            custom_hooks=[Spoil('losses', [5])])


class Explode(Hook):
    """Weights that a step made infinite, though its gradients were not."""

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        if runner.iter == 7:
            next(runner.model.parameters()).data[0] = float('inf')


def test_spoiled_weights_are_not_saved(tmp_path):
    with pytest.raises(FloatingPointError, match='stem.* are not finite'):
        train(tmp_path, 'weights', custom_hooks=[Explode()])
    assert (tmp_path / 'last_checkpoint').read_text() == str(
        tmp_path / 'epoch_1.pth')
    assert not (tmp_path / 'epoch_2.pth').exists()


def read_late(flags, every=False):
    """As on a GPU that has always something to do."""
    while every and flags._waiting:
        flag, _, meaning = flags._waiting.popleft()
        yield bool(flag), meaning


def test_no_step_waits(tmp_path, monkeypatch):
    monkeypatch.setattr(DelayedFlags, 'read', read_late)
    waits = Waits()
    with waits:
        train(
            tmp_path,
            'waits',
            optim_wrapper=CLIPPED,
            custom_hooks=[CurrentIteration(waits)])
    # mmengine enters the names of losses; epochs end after 3 and 7.
    assert set(waits.count) - {None} == {0, 3, 7}


def test_a_spoiled_epoch_is_found_before_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(DelayedFlags, 'read', read_late)
    with pytest.raises(FloatingPointError, match=r'iteration 6 \(epoch 2'):
        train(tmp_path, 'late', custom_hooks=[Spoil('losses', [5])])
    assert not (tmp_path / 'epoch_2.pth').exists()


class Flag:
    """A flag of a GPU that arrives some time."""

    is_cuda = True

    def __init__(self, value):
        self.value = value

    def detach(self):
        return self

    def to(self, device, non_blocking):
        assert (device, non_blocking) == ('cpu', True)
        return self

    def __bool__(self):
        return self.value


def test_flags_of_a_gpu_are_read_four_later(monkeypatch):
    waited = Counter()

    class Event:

        def record(self):
            waited['recorded'] += 1

        def synchronize(self):
            waited['synchronized'] += 1

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    flags = DelayedFlags()
    read = []
    for number in range(7):
        flags.add(Flag(number == 1), number)
        read.append(list(flags.read()))
    assert read == [[], [], [], [], [(False, 0)], [(True, 1)], [(False, 2)]]
    assert waited == dict(recorded=7, synchronized=3)
    assert [number for _, number in flags.read(every=True)] == [3, 4, 5, 6]


def test_negative_limit_is_refused(tmp_path):
    with pytest.raises(ValueError, match='max_skipped=-1 must be 0 or more'):
        train(tmp_path, 'negative', max_skipped=-1)
