"""A training that is stopped anywhere resumes bit for bit."""
import os
import signal

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.registry import METRICS
from resuming import differences
from small_runner import NoisePeople, SigtermHook, loader, small_runner

from hourglass_plugin.engine import ResumableCheckpointHook, termination
from hourglass_plugin.engine.checkpoint_hook import AtomicBackend
from hourglass_plugin.engine.latest_checkpoint import latest_checkpoint

CHECKPOINTS = dict(
    logger=dict(type='LoggerHook', interval=1),
    checkpoint=dict(
        type='ResumableCheckpointHook', interval=1, max_keep_ckpts=1,
        save_best='noise/size', rule='less'))


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


class ActInEvaluation(Hook):
    """Does something in the second epoch's evaluation."""

    priority = 'VERY_HIGH'

    def __init__(self, act):
        self.act = act

    def after_val_iter(self, runner, batch_idx, data_batch, outputs):
        if batch_idx == 0 and runner.epoch == 2:
            self.act()


def send_sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def break_down():
    raise RuntimeError('broken')


def train(work_dir, name, seen, hooks=(), sampler='SeededSampler', **options):
    """Three epochs of four batches, in steps of the optimizer of three."""
    arguments = dict(
        train_dataloader=loader(7, sampler, shuffle=True),
        val_dataloader=loader(7),
        val_cfg=dict(),
        val_evaluator=dict(type='SizeOfPredictions'),
        train_cfg=dict(type='ResumableTrainLoop', max_epochs=3),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01),
            accumulative_counts=3),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, end=7, by_epoch=False),
            # No epoch is better by so much.
            dict(type='ReduceOnPlateauLR', monitor='noise/size',
                 threshold=0.9, patience=0)
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


@pytest.mark.parametrize('hook, error, trained, sampler', [
    # In the middle of the second epoch, and at its end.
    (SigtermHook(6), SystemExit, 6, 'SeededSampler'),
    (SigtermHook(8), SystemExit, 8, 'SeededSampler'),
    (SigtermHook(6), SystemExit, 6, 'DefaultSampler'),
    # The evaluation is repeated, or completed and one iteration more.
    (ActInEvaluation(break_down), RuntimeError, 8, 'SeededSampler'),
    (ActInEvaluation(send_sigterm), SystemExit, 9, 'SeededSampler'),
])
def test_stopped_training_repeats_and_skips_nothing(
        tmp_path, whole, hook, error, trained, sampler):
    before = signal.getsignal(signal.SIGTERM)
    seen = []
    with pytest.raises(error) as stopped:
        train(tmp_path, 'stopped', seen, [hook], sampler)
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(seen) == trained
    latest = 'epoch_2.pth'
    if error is SystemExit:
        assert stopped.value.code == 143
        latest = 'interrupted.pth'
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / latest)
    # SeededSampler takes the checkpoint's seed, not the config's.
    seed = int(sampler == 'SeededSampler')
    train(tmp_path, 'resumed', seen, [], sampler, randomness=dict(seed=seed))
    assert seen == whole[1]
    assert differences(whole[0], tmp_path) == []


def checkpoints(folder):
    return {path.name for path in folder.glob('*.pth')}


@pytest.mark.parametrize('kept, killed_in', [(1, 'epoch_3'), (2, 'best_')])
def test_replaced_checkpoints_stay_until_the_new_one_is_complete(
        tmp_path, monkeypatch, whole, kept, killed_in):
    """And are removed by the training that resumes, if not before."""
    hook = dict(CHECKPOINTS['checkpoint'], max_keep_ckpts=kept)
    options = dict(default_hooks=dict(CHECKPOINTS, checkpoint=hook))
    put, files = AtomicBackend.put, set()

    def fail(self, content, path):
        name = os.path.basename(path)
        if name.startswith(killed_in) and any(tmp_path.glob('best_*')):
            files.update(checkpoints(tmp_path))
            raise RuntimeError('killed')
        put(self, content, path)

    monkeypatch.setattr(AtomicBackend, 'put', fail)
    with pytest.raises(RuntimeError):
        train(tmp_path, 'killed', [], **options)
    assert {name.split('_')[0] for name in files} == {'best', 'epoch'}
    # Here the new one is complete, but those that it replaces are there.
    monkeypatch.setattr(AtomicBackend, 'put', put)
    monkeypatch.setattr(ResumableCheckpointHook, '_remove_obsolete',
                        lambda self: None)
    train(tmp_path, 'more', [], **options)
    assert len(checkpoints(tmp_path)) > kept + 1
    monkeypatch.undo()
    train(tmp_path, 'resumed', [], **options)
    more = {'epoch_2.pth'} if kept == 2 else set()
    assert checkpoints(tmp_path) == checkpoints(whole[0]) | more


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
    train(tmp_path, 'other', [], randomness=dict(seed=1))
    found = differences(whole[0], tmp_path)
    for sentence in ('epoch_3.pth has another state_dict',
                     'epoch_3.pth has another optimizer',
                     'the log differs at iteration 1',
                     'the log differs at iteration 12'):
        assert sentence in found


def test_other_loops_and_batch_sizes_cannot_begin_inside_an_epoch(tmp_path):
    with pytest.raises(SystemExit):
        train(tmp_path / 'begun', 'stopped', [], [SigtermHook(6)])
    for options in (
            dict(train_cfg=dict(by_epoch=True, max_epochs=3)),
            dict(train_dataloader=dict(
                loader(7, 'SeededSampler', shuffle=True), batch_size=3))):
        with pytest.raises(ValueError) as refused:
            train(tmp_path / 'other', 'other', [], **options,
                  load_from=str(tmp_path / 'begun' / 'interrupted.pth'))
        assert 'after 2 batches of epoch 2' in str(refused.value)


def test_files_of_a_killed_process_are_removed(tmp_path, whole):
    left = tmp_path / '.epoch_2.4711.partial.pth'
    left.write_bytes(b'half')
    kept = tmp_path / '.hidden.pth'
    kept.write_bytes(b'mine')
    train(tmp_path, 'resumed', [], load_from=str(whole[0] / 'epoch_3.pth'))
    assert not left.exists() and kept.exists()
    # Nor does a training touch those of the folder that it came from.
    assert len(list(whole[0].glob('*.pth'))) == 2


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
    """Says in which process a sample was loaded, after SIGTERM if asked to."""

    def __getitem__(self, index):
        if self.length == 4:
            send_sigterm()  # from this process, so not from the parent
        return os.getpid()


def test_workers_ignore_sigterm_of_others():
    samples = torch.utils.data.DataLoader(ProcessNumbers(4), num_workers=1)
    termination.shield_workers(samples)
    processes = {int(process) for process in samples}
    assert len(processes) == 1 and os.getpid() not in processes


def test_workers_obey_their_parent():
    # No other signal may come in the same moment: two that wait are one.
    samples = torch.utils.data.DataLoader(
        ProcessNumbers(3), num_workers=1, persistent_workers=True)
    termination.shield_workers(samples)
    batches = iter(samples)
    os.kill(int(next(batches)), signal.SIGTERM)
    process, = batches._workers
    process.join()
    assert process.exitcode == 0
