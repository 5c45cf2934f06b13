"""Checkpoints for exact resumption.

Besides mmengine's entries they have ``progress``, readable with
``weights_only=True``: how many ``batches`` of the epoch were trained on, their
``batch_size`` in all processes together, whether the epoch that ended
``is_evaluated``, the ``obsolete`` files, and of each of the ``processes`` its
random generators, the gradients that wait for the rest of
``accumulative_counts`` and, in the middle of an epoch, its buffers.
"""
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import (
    all_gather_object,
    barrier,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner

from ..atomic_files import atomic_file, remove_partial_files
from ..models.wrapper import without_wrapper
from .random_state import random_state, set_random_state
from .termination import EXIT_STATUS
from .train_loop import ResumableTrainLoop

#: File name of the checkpoint that is saved after SIGTERM.
INTERRUPTED = 'interrupted.pth'


@register_backend('hourglass_plugin_atomic', force=True)
class AtomicBackend(LocalBackend):
    """mmengine's local files, which appear when they are complete.

    Attributes:
        obsolete: the files to remove after their successors are complete;
            mmengine would remove them before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.obsolete: set[str] = set()

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file that is complete, even after a power cut."""
        with atomic_file(filepath) as partial, open(partial, 'wb') as file:
            file.write(obj)
            file.flush()
            os.fsync(file.fileno())

    def remove(self, filepath: str | Path) -> None:
        """Mark a file as obsolete."""
        self.obsolete.add(str(filepath))


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` for runs that may end at any moment.

    * Files appear complete. Older checkpoints, and the best one so far, are
      removed after the new ones are complete, and files that a killed process
      left when training resumes.
    * Checkpoints are saved before and after the evaluation of their epoch, so
      that ``ResumableTrainLoop`` repeats an evaluation that was interrupted.
    * With ``ResumableTrainLoop`` SIGTERM ends training after the iteration,
      the same in all processes, with ``interrupted.pth`` and exit status 143.

    Arguments are those of ``CheckpointHook``.
    """

    backend_args: dict | None
    _batches = 0
    _is_evaluated = True
    _processes: Sequence[dict] = ()
    _obsolete: set[str]
    _saved_epoch: int | None = None
    _loaded: dict | None = None

    def _init_rule(self, rules: list[str | None],
                   key_indicators: list[str]) -> None:
        """Know, for each score of ``save_best``, whether more is better."""
        rules = rules * (len(key_indicators) if len(rules) == 1 else 1)
        super()._init_rule([
            rule or (None if name == 'auto' else rule_of_score(name))
            for rule, name in zip(rules, key_indicators)
        ], key_indicators)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the progress of the training that is resumed."""
        self._loaded = checkpoint.get('progress')

    def before_train(self, runner: Runner) -> None:
        """Restore the state of the training that is resumed.

        Raises:
            ValueError: if it stopped in the middle of an epoch, and the batch
                size has changed since, or the loop cannot begin there.
        """
        if (self.backend_args is None and self.file_client_args is None
                and '://' not in str(self.out_dir or runner.work_dir)):
            self.backend_args = dict(backend='hourglass_plugin_atomic')
        super().before_train(runner)
        self._obsolete = getattr(self.file_backend, 'obsolete', set())
        if self._loaded is not None and runner.iter > 0:  # not `load_from`
            self._resume(runner, self._loaded)
        self._loaded = None
        if is_main_process():
            for folder in (runner.work_dir, str(self.out_dir)):
                remove_partial_files(folder)
        self._remove_obsolete()

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: dict | None = None) -> None:
        """Save if it is due, and stop after SIGTERM."""
        loop = runner.train_loop
        if isinstance(loop, EpochBasedTrainLoop):
            self._batches = batch_idx + 1
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if (isinstance(loop, ResumableTrainLoop)
                and loop.stop_request.is_agreed()):
            self._save(runner, INTERRUPTED,
                       dict(epoch=runner.epoch, iter=runner.iter + 1))
            barrier()  # until the main process has saved
            runner.logger.info(f'Stopped by SIGTERM in iteration {loop.iter}; '
                               f'--resume continues from {self.last_ckpt}')
            raise SystemExit(EXIT_STATUS)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save if it is due, with the evaluation still to come."""
        self._batches, self._is_evaluated = 0, False
        super().after_train_epoch(runner)

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: dict | None = None) -> None:
        """Save the best checkpoint, and the result of the evaluation."""
        is_to_be_saved = not self._is_evaluated and (
            self._saved_epoch == runner.epoch)
        self._is_evaluated = True
        super().after_val_epoch(runner, metrics)
        if is_to_be_saved:
            self._save_checkpoint_with_step(
                runner, runner.epoch if self.by_epoch else runner.iter,
                dict(epoch=runner.epoch, iter=runner.iter))
        self._remove_obsolete()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the progress to a checkpoint to resume from."""
        if 'optimizer' in checkpoint:
            checkpoint['progress'] = dict(
                batches=self._batches,
                batch_size=_samples_per_batch(runner),
                is_evaluated=self._is_evaluated or self._batches > 0,
                obsolete=sorted(self._obsolete),
                processes=self._processes)

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        """Save the checkpoint of a step, then remove those it replaces."""
        old = [INTERRUPTED]
        if self.max_keep_ckpts > 0 and step not in self.keep_ckpt_ids:
            kept = [*self.keep_ckpt_ids, step]
            old += map(self.filename_tmpl.format, kept[:-self.max_keep_ckpts])
            self.keep_ckpt_ids.append(step)  # drops the first of too many
            runner.message_hub.update_info('keep_ckpt_ids',
                                           list(self.keep_ckpt_ids))
        for name in old:
            path = self.file_backend.join_path(self.out_dir, name)
            if is_main_process() and self.file_backend.exists(path):
                self.file_backend.remove(path)
        self._save(runner, self.filename_tmpl.format(step), meta)
        self._saved_epoch = meta['epoch']
        self._remove_obsolete()

    def _save(self, runner: Runner, name: str, meta: dict) -> None:
        """Save a checkpoint to resume from; all processes call it."""
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        model = without_wrapper(runner.model)
        gradients = {name: parameter.grad.cpu()
                     for name, parameter in model.named_parameters()
                     if parameter.grad is not None}
        buffers = {}
        # Between epochs SyncBuffersHook makes them equal.
        if self._batches and get_world_size() > 1:
            buffers = {name: buffer.cpu()
                       for name, buffer in model.named_buffers()}
        self._processes = all_gather_object(
            dict(random=random_state(), gradients=gradients, buffers=buffers))
        runner.save_checkpoint(
            self.out_dir, name, self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler, meta=meta,
            by_epoch=self.by_epoch, backend_args=self.backend_args,
            **self.args)
        if is_main_process():
            AtomicBackend().put(self.last_ckpt.encode(),
                                Path(runner.work_dir, 'last_checkpoint'))

    def _remove_obsolete(self) -> None:
        """Remove obsolete files, but not from another training's folder."""
        for path in self._obsolete:
            if is_main_process() and (
                    os.path.dirname(path) == str(self.out_dir).rstrip('/')):
                Path(path).unlink(missing_ok=True)
        self._obsolete.clear()

    def _resume(self, runner: Runner, progress: dict) -> None:
        self._batches = progress['batches']
        if self._batches:
            _check_middle_of_epoch(runner, progress)
        self._is_evaluated = progress['is_evaluated']
        self._obsolete.update(progress['obsolete'])
        self._saved_epoch = runner.epoch
        self.last_ckpt = runner.message_hub.get_info('last_ckpt')
        if isinstance(runner.train_loop, ResumableTrainLoop):
            runner.train_loop.resume_at(self._batches, self._is_evaluated)
        if len(progress['processes']) == get_world_size():
            state = progress['processes'][get_rank()]
            set_random_state(state['random'])
            model = without_wrapper(runner.model)
            for name, buffer in model.named_buffers():
                buffer.copy_(state['buffers'].get(name, buffer))
            for name, parameter in model.named_parameters():
                if name in state['gradients']:
                    parameter.grad = state['gradients'][name].to(parameter)


def _check_middle_of_epoch(runner: Runner, progress: dict) -> None:
    place = (f'the checkpoint was saved after {progress["batches"]} batches '
             f'of epoch {runner.epoch + 1}')
    if not isinstance(runner.train_loop, ResumableTrainLoop):
        raise ValueError(f'{place}: set train_cfg=dict('
                         "type='ResumableTrainLoop', max_epochs=...)")
    size = _samples_per_batch(runner)
    if size != progress['batch_size']:
        raise ValueError(
            f'{place}, of {progress["batch_size"]} samples in all processes, '
            f'now {size}: resume with the same batch size, or from the '
            'checkpoint of an epoch')


def rule_of_score(name: str) -> str:
    """Return ``'greater'`` or ``'less'``, whichever is better.

    Raises:
        ValueError: if the name of the score does not tell.
    """
    score = name.partition('/')[2] or name
    for rule, words in (('less', 'loss|nme|epe|mpjpe|error'),
                        ('greater', r'pck|auc|acc|precision|recall|iou|dice|'
                         r'top|jdr|map|\bap|\bar')):
        if re.search(words, score.lower()):
            return rule
    raise ValueError(f'save_best={name!r} does not tell whether more or less '
                     'is better: set default_hooks.checkpoint.rule='
                     "'greater' or 'less'")


def check_save_best(hook: CheckpointHook, scores: Sequence[str]) -> None:
    """Check a hook's ``save_best`` against the names of the scores, if any.

    Raises:
        ValueError: if there is no such score.
    """
    for name in hook.key_indicators if scores else ():
        if name == 'auto':
            if hook.rules == [None]:
                rule_of_score(scores[0])
        # The joint of a longer name may be annotated elsewhere.
        elif not f'{name}/'.startswith(tuple(f'{each}/' for each in scores)):
            raise ValueError(
                f'default_hooks.checkpoint.save_best={name!r} is no score of '
                f'the evaluation; there is {", ".join(scores)}')


def _samples_per_batch(runner: Runner) -> int:
    """Return the samples of all processes in an iteration; 0 if it varies."""
    return (runner.train_dataloader.batch_size or 0) * get_world_size()
