"""No training step waits for the device, and the logs are mmengine's own."""
import copy
import json
import pickle
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from small_runner import small_runner
from torch.utils._python_dispatch import TorchDispatchMode

from hourglass_plugin.engine.runtime_info_hook import DeferredHistory

DEFERRED = dict(runtime_info=dict(type='DeferredRuntimeInfoHook'))
CLIPPED = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1),
    clip_grad=dict(max_norm=0.01))


def train(work_dir, name, **options):
    runner = small_runner(work_dir, name, **options)
    runner.train()
    return runner


def log_lines(runner):
    """What was logged, without the times."""
    with open(runner.log_dir + '/vis_data/scalars.json') as file:
        lines = [json.loads(line) for line in file]
    for line in lines:
        del line['time'], line['data_time']
    return lines


def saved_histories(work_dir, epoch):
    hub = torch.load(
        work_dir / f'epoch_{epoch}.pth', weights_only=False)['message_hub']
    assert all(hub['resumed_keys'][key] for key in hub['log_scalars'])
    return {
        key: history
        for key, history in hub['log_scalars'].items() if 'time' not in key
    }


def assert_same_histories(ours, reference):
    assert list(ours) == list(reference)
    for key, history in ours.items():
        assert type(history) is HistoryBuffer
        for one, other in zip(history.data, reference[key].data):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize('wrapper', ['OptimWrapper', 'BFloat16OptimWrapper'])
def test_logs_and_checkpoints_are_those_of_mmengine(tmp_path, wrapper):
    runners = {}
    for name, hooks in (('stock', {}), ('deferred', DEFERRED)):
        runners[name] = train(
            tmp_path / name,
            wrapper,
            default_hooks=hooks,
            optim_wrapper=dict(CLIPPED, type=wrapper))
    lines = log_lines(runners['deferred'])
    # Every third of 4 iterations, in two epochs.
    assert [line['step'] for line in lines] == [3, 7]
    assert {'loss', 'loss_stack_1', 'acc_pose', 'grad_norm'} <= set(lines[0])
    assert lines == log_lines(runners['stock'])
    for epoch in (1, 2):
        ours, reference = (
            saved_histories(tmp_path / name, epoch)
            for name in ('deferred', 'stock'))
        assert len(ours['train/loss'].data[0]) == 4 * epoch
        assert_same_histories(ours, reference)


def test_resumed_histories_go_on(tmp_path):
    whole = tmp_path / 'whole'
    train(whole, 'whole', default_hooks=DEFERRED, optim_wrapper=CLIPPED)
    resumed = tmp_path / 'resumed'
    train(
        resumed,
        'resumed',
        default_hooks=DEFERRED,
        optim_wrapper=CLIPPED,
        load_from=str(whole / 'epoch_1.pth'),
        resume=True)
    assert_same_histories(
        saved_histories(resumed, 2), saved_histories(whole, 2))


class Waits(TorchDispatchMode):
    """Counts, by iteration, what waits for a device: numbers for Python
    (``item``, ``float``, ``if``), and shapes that depend on values."""

    def __init__(self):
        super().__init__()
        self.iteration = None
        self.count = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket in (torch.ops.aten._local_scalar_dense,
                                       torch.ops.aten.nonzero,
                                       torch.ops.aten.masked_select):
            self.count[self.iteration] += 1
        return function(*args, **(kwargs or {}))


class CurrentIteration(Hook):
    """Tells the counter where the training is."""

    def __init__(self, waits):
        self.waits = waits

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.waits.iteration = runner.iter

    def after_train_epoch(self, runner):
        self.waits.iteration = None


@pytest.mark.parametrize('hooks, waiting', [
    (DEFERRED, {0}),
    ({}, {0, 1, 2, 3, 4, 5, 6, 7}),
])
def test_iterations_that_wait(tmp_path, hooks, waiting):
    waits = Waits()
    with waits:
        train(
            tmp_path,
            'waits',
            default_hooks=hooks,
            optim_wrapper=CLIPPED,
            custom_hooks=[CurrentIteration(waits)])
    assert set(waits.count) - {None} == waiting


def test_tensors_are_received_in_order_when_read():
    plain, deferred = HistoryBuffer(), DeferredHistory()
    # Exact in float32, except for 0.1, which item() widens too.
    updates = [(torch.tensor(0.1), 1), (2, 1), (torch.tensor(3.5), 4),
               (torch.tensor([-1.25]), 2), (0.5, 1)]
    for value, count in updates:
        number = value.item() if torch.is_tensor(value) else value
        plain.update(number, count)
        deferred.update(value, count)
    for method in ('mean', 'max', 'min', 'current'):
        fresh = copy.copy(deferred)
        assert fresh.statistics(method) == plain.statistics(method)
    assert deferred.mean(2) == plain.mean(2) == (-1.25 + 0.5) / 3
    for ours, reference in zip(deferred.data, plain.data):
        np.testing.assert_array_equal(ours, reference)


def test_waiting_tensors_hold_no_graph():
    weight = torch.ones((), requires_grad=True)
    history = DeferredHistory()
    history.update(weight * 2)
    assert not history._waiting[0][0].requires_grad
    assert history.current() == 2


def test_oldest_numbers_are_dropped():
    history = DeferredHistory([1.0, 2.0], [1, 1], max_length=3)
    for value in (3.0, 4.0):
        history.update(torch.tensor(value))
    assert history.data[0].tolist() == [2, 3, 4]
    assert history.data[1].tolist() == [1, 1, 1]


def test_pickled_as_mmengines_own():
    history = DeferredHistory()
    history.update(torch.tensor(1.5))
    copied = pickle.loads(pickle.dumps(history))
    assert type(copied) is HistoryBuffer
    assert copied.data[0].tolist() == [1.5]
