"""A training loop that resumes in the middle of an epoch."""
import itertools
import logging
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import BatchSampler

from ..models.consistency import needs_two_samples
from ..models.wrapper import without_wrapper
from .random_state import random_state, set_random_state
from .termination import StopRequest, shield_workers


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` that resumes anywhere.

    * In the middle of an epoch: ``SeededSampler`` begins at the next sample;
      with another sampler the batches before are loaded and dropped.
    * Between an epoch and its evaluation, which is then evaluated first.
    * With the random numbers of an uninterrupted training: data loaders draw
      from generators of their own.

    A last batch of one sample is left out where batch norm needs two; see
    :func:`~hourglass_plugin.models.consistency.needs_two_samples`.

    SIGTERM is handled while the loop runs. Arguments are those of
    ``EpochBasedTrainLoop``; a config's ``train_cfg`` has no ``by_epoch``.

    Raises:
        ValueError: if there is no batch to train on, or batch norm cannot.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leave_out_single_sample()
        if len(self.dataloader) == 0:
            raise ValueError(
                f'{len(self.dataloader.dataset)} samples are less than one '
                'batch to train on: set train_dataloader.drop_last=False, or '
                'a smaller batch_size')
        self.stop_request = StopRequest()
        self._first_batch = 0
        self._is_evaluated = True

    def _leave_out_single_sample(self) -> None:
        model, loader = without_wrapper(self.runner.model), self.dataloader
        count, size = len(loader.sampler), loader.batch_size or 0
        if not needs_two_samples(model):
            return
        if 1 in (count, size):
            raise ValueError(
                'train_dataloader has batches of one sample, of which batch '
                'norm cannot learn at this input_size: set a larger '
                'batch_size, or give the codec a larger input_size')
        if size and count % size == 1 and not loader.drop_last and (
                type(loader.batch_sampler) is BatchSampler):
            loader.batch_sampler.drop_last = True
            self._max_iters = self._max_epochs * len(loader)
            print_log(
                f'{count} samples in batches of {size}: the last one of each '
                'epoch is left out, since batch norm needs two at this '
                'input_size', 'current', logging.WARNING)

    def resume_at(self, batch: int, is_evaluated: bool) -> None:
        """Set the first batch, and whether the epoch before was evaluated."""
        self._first_batch = batch
        self._is_evaluated = is_evaluated

    def run(self) -> nn.Module:
        """Train to the end, and restore SIGTERM's handler however it ends."""
        self._prepare_loaders()
        with self.stop_request:
            self.runner.call_hook('before_train')
            if not self._is_evaluated:
                self._evaluate_if_due()
            while self._epoch < self._max_epochs and not self.stop_training:
                self.run_epoch()
                self._evaluate_if_due()
            self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Train one epoch, or the rest of it."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        for index, batch in self._batches():
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _batches(self) -> Iterator[tuple[int, Any]]:
        """Iterate over the batches to train on, with their indices."""
        loader = self.dataloader
        first, self._first_batch = self._first_batch, 0
        # mmdet's batch samplers, for example, sort samples into batches.
        if (type(loader.batch_sampler) is BatchSampler
                and hasattr(loader.sampler, 'begin_at')):
            loader.sampler.begin_at(first * loader.batch_size)
            return zip(itertools.count(first), loader)
        batches = enumerate(loader)
        if first:
            self.runner.logger.info(
                f'{type(loader.sampler).__name__} cannot begin in the middle '
                f'of an epoch: {first} batches are loaded and dropped')
            state = random_state()  # of after these batches
            for _ in range(first):
                next(batches)
            set_random_state(state)
        return batches

    def _evaluate_if_due(self) -> None:
        self._decide_current_val_interval()
        if (self.runner.val_loop is not None and self._epoch >= self.val_begin
                and (self._epoch % self.val_interval == 0
                     or self._epoch == self._max_epochs)):
            self.runner.val_loop.run()

    def _prepare_loaders(self) -> None:
        if hasattr(self.dataloader.sampler, 'begin_at'):
            # mmengine builds it before it reads a checkpoint's seed.
            self.dataloader.sampler.seed = self.runner.seed
        for loop in filter(None, (self, self.runner.val_loop)):
            loader = loop.dataloader
            shield_workers(loader)
            if loader.generator is None:
                loader.generator = torch.Generator()
                loader.generator.manual_seed(self.runner.seed)
