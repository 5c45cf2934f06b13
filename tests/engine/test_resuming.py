"""A training that is stopped anywhere resumes bit for bit."""
import os
import signal

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.registry import METRICS
from resuming import differences
from small_runner import NoisePeople, small_runner

from hourglass_plugin.datasets import SeededSampler
from hourglass_plugin.engine import ResumableCheckpointHook, termination
from hourglass_plugin.engine.checkpoint_hook import AtomicBackend
from hourglass_plugin.engine.latest_checkpoint import latest_checkpoint

CHECKPOINTS = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(
        type='ResumableCheckpointHook',
        interval=1,
        max_keep_ckpts=1,
        save_best='noise/size',
        rule='less'))


@METRICS.register_module()
class SizeOfPredictions(BaseMetric):
    """A score that every change of the weights changes."""

    default_prefix = 'noise'

    def process(self, data_batch, data_samples):
        self.results.extend(
            abs(sample['pred_instances']['keypoints']).mean()
            for sample in data_samples)

    def compute_metrics(self, results):
        return dict(size=float(sum(results)))


class RandomPeople(NoisePeople):
    """Draws a random number for each, as augmentation without seeds does."""

    def __getitem__(self, index):
        torch.rand(())
        return super().__getitem__(index)


class Watch(Hook):
    """Keeps which samples were learnt, and lets random numbers decide."""

    def __init__(self, seen):
        self.seen = seen

    def before_train(self, runner):
        runner.model.backbone.register_forward_pre_hook(
            # As dropout would.
            lambda module, inputs: (inputs[0] * torch.rand(()), )
            if module.training else None)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.append((runner.iter, batch_idx, [
            sample.metainfo['id'] for sample in data_batch['data_samples']
        ]))


class Send(Hook):
    """Sends SIGTERM to this process in an iteration."""

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch, outputs):
        if runner.iter == self.iteration:
            os.kill(os.getpid(), signal.SIGTERM)


class SendInEvaluation(Hook):
    """Sends SIGTERM to this process in the second evaluation."""

    priority = 'VERY_HIGH'

    def after_val_iter(self, runner, batch_idx, data_batch, outputs):
        if batch_idx == 0 and runner.epoch == 2:
            os.kill(os.getpid(), signal.SIGTERM)


class Break(Hook):
    """Ends the process in an evaluation."""

    priority = 'VERY_HIGH'

    def __init__(self, epoch):
        self.epoch = epoch

    def after_val_iter(self, runner, batch_idx, data_batch, outputs):
        if runner.epoch == self.epoch:
            raise RuntimeError('broken')


def train(work_dir, name, seen, hooks=(), sampler='SeededSampler', **options):
    """Three epochs of four batches, in steps of the optimizer of three."""
    loader = dict(
        batch_size=2,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type=sampler, shuffle=True),
        dataset=RandomPeople(7))
    arguments = dict(
        epochs=3,
        train_dataloader=loader,
        val_dataloader=dict(
            loader, sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(),
        val_evaluator=dict(type='SizeOfPredictions'),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=3),
        optim_wrapper=dict(
            type='OptimWrapper',
            optimizer=dict(type='Adam', lr=0.01),
            accumulative_counts=3),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, end=7, by_epoch=False),
            dict(
                type='ReduceOnPlateauLR',
                monitor='noise/size',
                # No epoch is better by so much.
                threshold=0.9,
                patience=0)
        ],
        default_hooks=CHECKPOINTS,
        custom_hooks=[dict(type='EMAHook'), Watch(seen), *hooks],
        resume=True)
    runner = small_runner(work_dir, name, **{**arguments, **options})
    runner.train()
    return runner


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    seen = []
    runner = train(folder, 'whole', seen)
    # An evaluation let the rate fall, to a tenth.
    assert runner.optim_wrapper.get_lr()['lr'] == pytest.approx([0.001])
    return folder, seen


# In the middle of the second epoch, and at its end.
@pytest.mark.parametrize('iteration, sampler', [(5, 'SeededSampler'),
                                                (7, 'SeededSampler'),
                                                (5, 'DefaultSampler')])
def test_sigterm_repeats_and_skips_no_sample(tmp_path, whole, iteration,
                                             sampler):
    before = signal.getsignal(signal.SIGTERM)
    seen = []
    with pytest.raises(SystemExit) as stopped:
        train(tmp_path, 'stopped', seen, [Send(iteration)], sampler)
    assert stopped.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(seen) == iteration + 1
    latest = (tmp_path / 'last_checkpoint').read_text()
    assert latest == str(tmp_path / 'interrupted.pth')
    train(tmp_path, 'resumed', seen, sampler=sampler)
    assert seen == whole[1]
    assert differences(whole[0], tmp_path) == []


def test_interrupted_evaluation_is_repeated(tmp_path, whole):
    before = signal.getsignal(signal.SIGTERM)
    seen = []
    with pytest.raises(RuntimeError, match='broken'):
        train(tmp_path, 'broken', seen, [Break(2)])
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(seen) == 8
    # The checkpoint's seed replaces the config's.
    train(tmp_path, 'resumed', seen, randomness=dict(seed=1))
    assert seen == whole[1]
    assert differences(whole[0], tmp_path) == []


def test_sigterm_in_an_evaluation_stops_in_the_next_iteration(tmp_path, whole):
    seen = []
    with pytest.raises(SystemExit):
        train(tmp_path, 'stopped', seen, [SendInEvaluation()])
    assert len(seen) == 9
    train(tmp_path, 'resumed', seen)
    assert seen == whole[1]
    assert differences(whole[0], tmp_path) == []


@pytest.mark.parametrize('kept, killed_in', [(1, 'epoch_3'), (2, 'best_')])
def test_replaced_checkpoints_stay_until_the_new_one_is_complete(
        tmp_path, monkeypatch, kept, killed_in):
    """And are removed by the training that resumes, if not before."""
    options = dict(
        default_hooks=dict(
            CHECKPOINTS,
            checkpoint=dict(CHECKPOINTS['checkpoint'], max_keep_ckpts=kept)))
    train(tmp_path / 'whole', 'whole', [], **options)
    put, work_dir = AtomicBackend.put, tmp_path / 'killed'

    def fail(self, content, path):
        name = os.path.basename(path)
        if name.startswith(killed_in) and any(work_dir.glob('best_*')):
            files.extend(path.name for path in work_dir.glob('*.pth'))
            raise RuntimeError('killed')
        put(self, content, path)

    files = []
    monkeypatch.setattr(AtomicBackend, 'put', fail)
    with pytest.raises(RuntimeError, match='killed'):
        train(work_dir, 'killed', [], **options)
    assert any(name.startswith('best_') for name in files)
    assert any(name.startswith('epoch_') for name in files)
    # Here the new one is complete, but those that it replaces are there.
    monkeypatch.setattr(AtomicBackend, 'put', put)
    monkeypatch.setattr(ResumableCheckpointHook, '_remove_obsolete',
                        lambda self: None)
    train(work_dir, 'more', [], **options)
    assert len(list(work_dir.glob('*.pth'))) > kept + 1
    monkeypatch.undo()
    train(work_dir, 'resumed', [], **options)
    assert ({path.name for path in work_dir.glob('*.pth')} ==
            {path.name for path in (tmp_path / 'whole').glob('*.pth')})


@pytest.mark.parametrize('note, expected', [
    ('{0}/epoch_2.pth', 'epoch_2.pth'),
    ('/moved/from/epoch_1.pth', 'epoch_1.pth'),
    ('/moved/from/epoch_7.pth', 'interrupted.pth'),
    ('', 'interrupted.pth'),
    (None, 'interrupted.pth'),
])
def test_latest_checkpoint(tmp_path, note, expected):
    assert latest_checkpoint(tmp_path) is None
    for seconds, name in enumerate(
        ['epoch_2.pth', 'epoch_1.pth', 'interrupted.pth', 'best_a_1.pth']):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))
    if note is not None:
        (tmp_path / 'last_checkpoint').write_text(note.format(tmp_path))
    assert latest_checkpoint(tmp_path) == str(tmp_path / expected)


def test_differences_are_found(tmp_path, whole):
    seen = []
    # One batch less in each epoch, and what follows from that.
    train(
        tmp_path,
        'other',
        seen,
        train_dataloader=dict(
            batch_size=2,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='SeededSampler', shuffle=True),
            dataset=NoisePeople(6)))
    found = differences(whole[0], tmp_path)
    for sentence in ('epoch_3.pth has another state_dict',
                     'epoch_3.pth has another optimizer',
                     'the log differs at iteration 1',
                     'the log differs at iteration 12'):
        assert sentence in found


@pytest.fixture(scope='module')
def stopped(tmp_path_factory):
    folder = tmp_path_factory.mktemp('stopped')
    with pytest.raises(SystemExit):
        train(folder, 'stopped', [], [Send(5)])
    return str(folder / 'interrupted.pth')


@pytest.mark.parametrize('options, named', [
    (dict(train_cfg=dict(by_epoch=True, max_epochs=3)), 'ResumableTrainLoop'),
    (dict(
        train_dataloader=dict(
            batch_size=3,
            sampler=dict(type='SeededSampler', shuffle=True),
            dataset=NoisePeople(7))),
     'after 2 batches of epoch 2'),
])
def test_other_loops_and_batch_sizes_cannot_begin_inside_an_epoch(
        tmp_path, stopped, options, named):
    with pytest.raises(ValueError) as refused:
        train(tmp_path, 'other', [], load_from=stopped, **options)
    assert named in str(refused.value)


def test_files_of_a_killed_process_are_removed(tmp_path, whole):
    left = tmp_path / '.epoch_2.4711.partial.pth'
    left.write_bytes(b'half')
    kept = tmp_path / '.hidden.pth'
    kept.write_bytes(b'mine')
    train(tmp_path, 'resumed', [], load_from=str(whole[0] / 'epoch_3.pth'))
    assert not left.exists() and kept.exists()
    # Nor does a training touch those of the folder that it came from.
    assert len(list(whole[0].glob('*.pth'))) == 2


def test_sampler_begins_at_a_position_once():
    sampler = SeededSampler(NoisePeople(7), seed=3)
    everything = list(sampler)
    sampler.begin_at(4)
    assert list(sampler) == everything[4:]
    assert list(sampler) == everything


@pytest.mark.parametrize('seconds, status', [(60, 0), (0, signal.SIGTERM)])
def test_second_sigterm_ends_the_process_at_once(monkeypatch, seconds,
                                                 status):
    # torchrun and a cluster both send one, moments apart.
    monkeypatch.setattr(termination, '_SECONDS_OF_ONE_REQUEST', seconds)
    process = os.fork()
    if process == 0:
        with termination.StopRequest() as request:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0 if request.is_agreed() else 1)
    assert os.waitpid(process, 0)[1] == status


class ProcessNumbers(NoisePeople):
    """Says in which process a sample was loaded, and can get SIGTERM then."""

    def __init__(self, length, is_signalled=False):
        super().__init__(length)
        self.is_signalled = is_signalled

    def __getitem__(self, index):
        if self.is_signalled:
            # From this process, so not from the parent.
            os.kill(os.getpid(), signal.SIGTERM)
        return os.getpid()


def test_workers_ignore_sigterm_of_others():
    loader = torch.utils.data.DataLoader(
        ProcessNumbers(4, is_signalled=True), num_workers=1)
    termination.shield_workers(loader)
    processes = {int(batch) for batch in loader}
    assert len(processes) == 1 and os.getpid() not in processes


def test_workers_obey_their_parent():
    # No other signal may come in the same moment: two that wait are one.
    loader = torch.utils.data.DataLoader(
        ProcessNumbers(4), num_workers=1, persistent_workers=True)
    termination.shield_workers(loader)
    batches = iter(loader)
    os.kill(int(next(batches)), signal.SIGTERM)
    process, = batches._workers
    process.join()
    assert process.exitcode == 0


@pytest.fixture
def restored_determinism():
    """The process's setting, restored afterwards."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    yield
    torch.use_deterministic_algorithms(False)
    cudnn.deterministic, cudnn.benchmark = before


@pytest.mark.parametrize('is_deterministic', [False, True])
def test_two_runs_are_bit_equal(tmp_path, restored_determinism,
                                is_deterministic):
    for name in ('one', 'two'):
        train(
            tmp_path / name,
            name, [],
            train_cfg=dict(type='ResumableTrainLoop', max_epochs=1),
            val_dataloader=None,
            val_cfg=None,
            val_evaluator=None,
            param_scheduler=None,
            randomness=dict(seed=0, deterministic=is_deterministic))
    assert torch.are_deterministic_algorithms_enabled() == is_deterministic
    assert differences(tmp_path / 'one', tmp_path / 'two') == []
