"""Checkpoints that a killed training goes on from as if nothing had been.

What a checkpoint holds besides mmengine's, under ``progress``:

* ``batches``: how many batches of the epoch were trained on;
* ``batch_size``: samples in a batch, of all processes together;
* ``is_evaluated``: whether the epoch that ended was evaluated;
* ``processes``: for each process its random generators, the gradients that
  wait for the rest of ``accumulative_counts``, and in the middle of an epoch
  of several processes the running statistics, which are its own till the end.

Numbers and tensors only, so that it is read with ``weights_only=True``.
"""
import functools
import operator
import os
from collections import deque
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.dist import (
    all_gather_object,
    barrier,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import HOOKS
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from ..atomic_files import atomic_file, remove_partial_files
from .random_state import random_state, set_random_state
from .termination import EXIT_STATUS, StopRequest, shield_workers
from .train_loop import ResumableTrainLoop

#: The checkpoint of a training that SIGTERM stopped.
INTERRUPTED = 'interrupted.pth'


@register_backend('hourglass_plugin_atomic', force=True)
class AtomicBackend(LocalBackend):
    """mmengine's files on disk, which appear when they are complete."""

    def put(self, obj: bytes, filepath: Union[str, Path]) -> None:
        """Write a file; till then an older one of the name stays."""
        _write_whole(filepath, obj)


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` for trainings that may end at any moment.

    * Files appear complete. Older checkpoints, and the best one so far, are
      removed when the new one and ``last_checkpoint`` are there; what a killed
      process left is removed when training is resumed.
    * A checkpoint says which evaluation is still to come, and is written again
      after it. ``ResumableTrainLoop`` makes up for it.
    * SIGTERM ends training after the iteration, in an evaluation at once if
      the epoch has a checkpoint, with ``interrupted.pth`` to resume from and
      status 143. Several processes stop after the same iteration; on GPUs it
      is four iterations later, since no step waits for the device.

    Arguments are those of ``CheckpointHook``.
    """

    backend_args: Optional[dict]
    keep_ckpt_ids: deque

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stop_request = StopRequest()
        self._is_training = False
        self._batches = 0
        self._is_evaluated = True
        self._processes: list[dict] = []
        # Step of the latest checkpoint, and whether it knows its evaluation.
        self._saved: Optional[tuple[int, bool]] = None
        self._loaded: Optional[dict] = None

    # What is called in the order of a training

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep where the training was."""
        self._loaded = checkpoint.get('progress')

    def before_train(self, runner: Runner) -> None:
        """Go on where the checkpoint was written.

        Raises:
            ValueError: if that is in the middle of an epoch, and batches are
                of another size now, or the loop cannot begin there.
        """
        folder = str(self.out_dir or runner.work_dir)
        if (self.backend_args is None and self.file_client_args is None
                and '://' not in folder):
            self.backend_args = dict(backend='hourglass_plugin_atomic')
        super().before_train(runner)
        if is_main_process():
            for path in {str(self.out_dir), str(runner.work_dir)}:
                if '://' not in path:
                    remove_partial_files(path)
        self._remove(
            set(runner.message_hub.get_info('best_ckpts_before') or [])
            - set(self._best_files().values()))
        self._is_training = True
        self._stop_request.listen()
        shield_workers(runner.train_dataloader)
        if runner.val_loop is not None:
            shield_workers(runner.val_dataloader)
        if self._loaded is not None and runner.iter > 0:  # not `load_from`
            self._resume(runner, self._loaded)
        self._loaded = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Forget the evaluation of the epoch before."""
        self._is_evaluated = True

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: Optional[dict] = None) -> None:
        """Save if it is time, and stop if that was asked for."""
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            self._batches = batch_idx + 1
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if self._is_over(runner):
            return  # sooner than to make up for what follows
        if self._stop_request.is_agreed():
            self._save(runner, INTERRUPTED,
                       dict(epoch=runner.epoch, iter=runner.iter + 1))
            self._stop(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Save, with the evaluation still to come."""
        self._batches, self._is_evaluated = 0, False
        super().after_train_epoch(runner)

    def after_val_iter(self,
                       runner: Runner,
                       batch_idx: int,
                       data_batch: Any = None,
                       outputs: Any = None) -> None:
        """Stop if that was asked for and nothing of the training is lost."""
        loader = runner.val_loop.dataloader
        # Of several processes some may have a batch more, and must not ask.
        is_asked_by_all = get_world_size() == 1 or (
            batch_idx < len(loader.dataset) // get_world_size() //
            (loader.batch_size or len(loader.dataset)))
        if (self._is_training and self._saved == (self._step(runner), False)
                and is_asked_by_all and self._stop_request.is_agreed()):
            self._stop(runner, runner.iter)

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: Optional[dict] = None) -> None:
        """Save the best one, and what the evaluation changed."""
        if not self._is_training:
            super().after_val_epoch(runner, metrics)
            return
        self._is_evaluated = True
        before = self._best_files()
        # If this process is killed before they are removed, the next does it.
        runner.message_hub.update_info(
            'best_ckpts_before', [x for x in before.values() if x])
        self._set_best_files(dict.fromkeys(before))  # none is removed
        super().after_val_epoch(runner, metrics)
        after = {
            key: path or before[key]
            for key, path in self._best_files().items()
        }
        self._set_best_files(after)
        if self._saved == (self._step(runner), False):
            self._save_checkpoint_with_step(
                runner, self._step(runner),
                dict(epoch=runner.epoch, iter=runner.iter))
        self._remove(set(before.values()) - set(after.values()))

    def after_train(self, runner: Runner) -> None:
        """Leave SIGTERM alone again."""
        self._stop_request.ignore()
        self._is_training = False
        super().after_train(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add where the training is, to what training resumes from."""
        if 'optimizer' in checkpoint:
            checkpoint['progress'] = dict(
                batches=self._batches,
                batch_size=_samples_per_batch(runner),
                is_evaluated=self._is_evaluated,
                processes=self._processes)

    # Saving

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        """Save the checkpoint of a step and remove what is too old then."""
        too_old = []
        if self.max_keep_ckpts > 0:
            steps = [x for x in self.keep_ckpt_ids if x != step] + [step]
            too_old = steps[:-self.max_keep_ckpts]
            self.keep_ckpt_ids = deque(steps[len(too_old):],
                                       self.max_keep_ckpts)
            # With those to be removed: if this process is killed before that,
            # mmengine removes them when training is resumed.
            runner.message_hub.update_info('keep_ckpt_ids', steps)
        self._save(runner, self.filename_tmpl.format(step), meta)
        self._saved = step, self._is_evaluated
        self._remove({self._path(self.filename_tmpl.format(x))
                      for x in too_old} | {self._path(INTERRUPTED)})

    def _save(self, runner: Runner, name: str, meta: dict) -> None:
        """Save a checkpoint to resume from; all processes call it."""
        self.last_ckpt = self._path(name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        self._processes = all_gather_object(self._state_of_process(runner))
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args)
        if is_main_process():
            _write_whole(
                Path(runner.work_dir, 'last_checkpoint'),
                self.last_ckpt.encode())

    def _state_of_process(self, runner: Runner) -> dict[str, dict]:
        model = _unwrapped(runner.model)
        state = dict(random=random_state())
        if _is_accumulating(runner.optim_wrapper):
            state['gradients'] = {
                name: parameter.grad.cpu()
                for name, parameter in model.named_parameters()
                if parameter.grad is not None
            }
        if self._batches and get_world_size() > 1:
            state['buffers'] = {
                name: buffer.cpu()
                for name, buffer in model.named_buffers()
            }
        return state

    def _stop(self, runner: Runner, iteration: int) -> None:
        """End this process when the main one has saved."""
        barrier()
        self._stop_request.ignore()
        runner.logger.info(
            f'Stopped by SIGTERM after iteration {iteration}; go on with '
            f'--resume, which finds {self.last_ckpt}')
        raise SystemExit(EXIT_STATUS)

    # Resuming

    def _resume(self, runner: Runner, progress: dict) -> None:
        check_progress(runner, progress, runner.epoch)
        self._batches = progress['batches']
        self._is_evaluated = progress['is_evaluated']
        self.last_ckpt = runner.message_hub.get_info('last_ckpt')
        # Another folder's checkpoint is not found by `--resume` here.
        if not self._batches and self._is_own(self.last_ckpt):
            self._saved = self._step(runner), self._is_evaluated
        loop = runner.train_loop
        if isinstance(loop, ResumableTrainLoop):
            loop.resume_at(self._batches, self._is_evaluated)
        model = _unwrapped(runner.model)
        processes = progress['processes']
        gradients = [state.get('gradients', {}) for state in processes]
        if len(processes) == get_world_size():
            state = processes[get_rank()]
            set_random_state(state['random'])
            buffers = dict(model.named_buffers())
            for name, value in state.get('buffers', {}).items():
                buffers[name].copy_(value)
            gradients = [gradients[get_rank()]]
        # Otherwise random numbers are others, as in another training. Of
        # gradients the processes' mean counts, so any may have that.
        for name, parameter in model.named_parameters():
            waiting = [each[name] for each in gradients if name in each]
            if waiting:
                total = functools.reduce(operator.add, waiting)
                parameter.grad = (total / len(gradients)).to(parameter.device)

    # Small things

    @staticmethod
    def _is_over(runner: Runner) -> bool:
        """Whether this was the last iteration of a loop over iterations.

        It has no epoch whose evaluation a resumed training could make up for.
        """
        loop = runner.train_loop
        return (not isinstance(loop, EpochBasedTrainLoop)
                and runner.iter + 1 >= loop.max_iters)

    def _step(self, runner: Runner) -> int:
        return runner.epoch if self.by_epoch else runner.iter

    def _path(self, name: str) -> str:
        return self.file_backend.join_path(self.out_dir, name)

    def _remove(self, paths: set) -> None:
        """Remove files of this folder, from the main process.

        A training that goes on from another folder's checkpoint knows that
        folder's files, too.
        """
        for path in filter(self._is_own, paths - {None}):
            if is_main_process() and self.file_backend.exists(path):
                self.file_backend.remove(path)

    def _is_own(self, path: Optional[str]) -> bool:
        """Whether a file is of the folder that is written to."""
        return (path is not None
                and os.path.dirname(path) == str(self.out_dir).rstrip('/'))

    def _best_files(self) -> dict[str, Optional[str]]:
        """The best checkpoint by each score that decides it."""
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return {'': self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    def _set_best_files(self, files: dict[str, Optional[str]]) -> None:
        if not self.save_best:
            return
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = files['']
        else:
            self.best_ckpt_path_dict = dict(files)


def _write_whole(path: Union[str, Path], content: bytes) -> None:
    """Write a file that is complete after a power cut, too, or not there."""
    with atomic_file(path) as partial, open(partial, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def check_progress(runner: Runner, progress: dict, epoch: int) -> None:
    """Check that training can go on where a checkpoint was written.

    Args:
        runner: with its training loop built.
        progress: what :class:`ResumableCheckpointHook` put into it.
        epoch: how many epochs were complete.

    Raises:
        ValueError: if that is in the middle of an epoch, and batches are of
            another size now, or the loop cannot begin there.
    """
    if not progress['batches']:
        return
    where = f'the checkpoint is of after {progress["batches"]} batches of ' \
        f'epoch {epoch + 1}'
    if not isinstance(runner.train_loop, ResumableTrainLoop):
        raise ValueError(f'{where}: train with tools/train.py, or set '
                         "train_cfg=dict(type='ResumableTrainLoop', "
                         'max_epochs=...)')
    size = _samples_per_batch(runner)
    if size != progress['batch_size']:
        raise ValueError(
            f'{where} with {progress["batch_size"]} samples each in all '
            f'processes together, and now it would be {size}: go on with as '
            'many, or from the checkpoint of an epoch')


def _samples_per_batch(runner: Runner) -> int:
    """Samples of all processes in an iteration; 0 if that varies."""
    return (runner.train_dataloader.batch_size or 0) * get_world_size()


def _unwrapped(model: nn.Module) -> nn.Module:
    return model.get_submodule('module') if is_model_wrapper(model) else model


def _is_accumulating(wrapper: Union[OptimWrapper, OptimWrapperDict]) -> bool:
    """Whether gradients wait for further iterations."""
    wrappers = (
        wrapper.values()
        if isinstance(wrapper, OptimWrapperDict) else [wrapper])
    return any(not x.should_update() for x in wrappers)
