"""Says how many images a training has left out, and which."""
import logging
from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

_SHOWN = 5


@HOOKS.register_module()
class CorruptImagesHook(Hook):
    """Counts what data sets with ``unreadable='skip'`` leave out.

    After each epoch and after the training a warning says how often another
    sample stood in for an image that could not be used, and names the first
    images. All training processes are counted, and, when training goes on
    from a checkpoint, what was skipped before it; where that is in the middle
    of an epoch, of that epoch only what its first process has skipped.
    """

    def __init__(self) -> None:
        # File -> how often, until the last epoch's end and since then.
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Any = None,
                         outputs: Any = None) -> None:
        """Count the batch's."""
        if not isinstance(data_batch, dict):
            return
        for sample in data_batch.get('data_samples', ()):
            for path in getattr(sample, 'skipped_images', ()):
                self._now[path] = self._now.get(path, 0) + 1

    def after_train_epoch(self, runner: Runner) -> None:
        """Say what this epoch has skipped."""
        counts = all_gather_object(self._now)
        self._now = {}
        epoch = _sum(*counts)
        self._before = _sum(self._before, epoch)
        if epoch:
            _warn(f'epoch {runner.epoch + 1}', epoch)

    def after_train(self, runner: Runner) -> None:
        """Say what all of the training has skipped."""
        total = _sum(self._before, *all_gather_object(self._now))
        if total:
            _warn('the whole training', total)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the counts."""
        checkpoint['skipped_images'] = _sum(self._before, self._now)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Go on from the counts of a training that is resumed."""
        if runner._resume:
            self._before = dict(checkpoint.get('skipped_images', {}))


def _sum(*counts: dict[str, int]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for path, times in count.items():
            total[path] = total.get(path, 0) + times
    return total


def _warn(when: str, counts: dict[str, int]) -> None:
    times = sum(counts.values())
    paths = sorted(counts)
    names = ', '.join(paths[:_SHOWN] + ['...'] * (len(paths) > _SHOWN))
    print_log(
        f'{when}: {times} times another sample stood in for an unreadable '
        f'image, of which there are {len(paths)}: {names}',
        logger='current',
        level=logging.WARNING)
