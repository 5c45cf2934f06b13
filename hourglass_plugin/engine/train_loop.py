"""A loop over epochs that begins where a training was stopped."""
import itertools
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import BatchSampler, DataLoader

from .random_state import random_state, set_random_state


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop`` that resumes anywhere.

    * In the middle of an epoch: with ``SeededSampler`` no sample before is
      loaded; with another sampler those before are loaded and dropped.
    * Between an epoch and its evaluation, which is made up for.
    * With the random numbers of an uninterrupted training: data loaders, of
      which a resumed training starts one more, draw from generators of their
      own.

    ``ResumableCheckpointHook`` says where. For configs:
    ``train_cfg = dict(type='ResumableTrainLoop', max_epochs=...)``, without
    ``by_epoch``. Arguments are those of ``EpochBasedTrainLoop``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._first_batch = 0
        self._is_evaluated = True

    def resume_at(self, batch: int, is_evaluated: bool) -> None:
        """Say where to begin.

        Args:
            batch: index of the first batch in the epoch that is resumed.
            is_evaluated: whether the epoch before was evaluated.
        """
        self._first_batch = batch
        self._is_evaluated = is_evaluated

    def run(self) -> nn.Module:
        """Train to the end."""
        self._give_loaders_generators()
        self.runner.call_hook('before_train')
        if not self._is_evaluated:
            self._evaluate_if_due()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._evaluate_if_due()
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Train one epoch, or what is left of it."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        first, self._first_batch = self._first_batch, 0
        loader = self.dataloader
        if first and self._sampler_can_begin():
            loader.sampler.begin_at(first * loader.batch_size)
            batches: Iterator = zip(itertools.count(first), loader)
        else:
            batches = enumerate(loader)
            if first:
                self.runner.logger.info(
                    f'{type(loader.sampler).__name__} cannot begin in the '
                    f'middle: {first} batches are loaded and dropped')
                state = random_state()  # that of after these batches
                for _ in range(first):
                    next(batches)
                set_random_state(state)
        for index, batch in batches:
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _sampler_can_begin(self) -> bool:
        # mmdet's batch samplers, for example, sort samples into batches.
        return (type(self.dataloader.batch_sampler) is BatchSampler
                and hasattr(self.dataloader.sampler, 'begin_at'))

    def _evaluate_if_due(self) -> None:
        self._decide_current_val_interval()
        if (self.runner.val_loop is not None and self._epoch >= self.val_begin
                and (self._epoch % self.val_interval == 0
                     or self._epoch == self._max_epochs)):
            self.runner.val_loop.run()

    def _give_loaders_generators(self) -> None:
        # A resumed training has the checkpoint's seed; mmengine built the
        # sampler before it read that.
        if hasattr(self.dataloader.sampler, 'begin_at'):
            self.dataloader.sampler.seed = self.runner.seed
        loaders: list[DataLoader] = [self.dataloader]
        if self.runner.val_loop is not None:
            loaders.append(self.runner.val_loop.dataloader)
        for loader in loaders:
            if loader.generator is None:
                loader.generator = torch.Generator()
                loader.generator.manual_seed(self.runner.seed)
