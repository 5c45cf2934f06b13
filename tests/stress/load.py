#!/usr/bin/env python
"""Train for an hour and check that memory and open files do not grow.

Eight narrow stacks are trained on stick figures, with two loader processes,
and evaluated after each epoch of ``--samples``; the epoch in which the
``--minutes`` end is finished. Exit status 1 if memory differs by more than
2 % between the epochs after the second, or the number of open files at all.
For Linux 5.4 and later.
"""
import itertools
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from small_training import run_script, small_config

from small_project import write_project  # isort: skip, by small_training

from hourglass_plugin.cli import runner as runners

#: Limit for the difference of memory between epochs.
TOLERANCE = 0.02

_IMAGES = 200  # whose annotations are repeated
_BATCH_SIZE = 16
_SECONDS = 2.0  # between two measurements
# The workers of the evaluation are forked in the first epoch; in the second
# the training rewrites the memory that it shared with them.
_WARM_UP = 2


class LoadWatch(Hook):
    """Measures every two seconds; ends a training when its time is over.

    Args:
        seconds: how long to train; the epoch that is begun is finished, and
            evaluated.
    """

    def __init__(self, seconds: float) -> None:
        self.rows: list[tuple] = []  # of the epochs
        self._measured: dict[str, list] = dict(train=[], val=[])
        self._end = time.monotonic() + seconds
        self._next = 0.

    def _after_iter(self,
                    runner: Runner,
                    batch_idx: int,
                    data_batch: Any = None,
                    outputs: Any = None,
                    mode: str = 'train') -> None:
        if time.monotonic() >= self._next:
            self._measure(mode)

    def after_train_epoch(self, runner: Runner) -> None:
        """Measure at least once; end the training when its time is over."""
        self._measure('train')
        if time.monotonic() > self._end and runner.epoch >= _WARM_UP + 1:
            runner.train_loop.stop_training = True

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Measure at least once, and log it."""
        self._measure('val')
        self.rows.append((runner.epoch, *level(**self._measured)))
        self._measured = dict(train=[], val=[])
        runner.logger.info(_row(*self.rows[-1]))

    def _measure(self, phase: str) -> None:
        self._measured[phase].append(held(os.getpid()))
        self._next = time.monotonic() + _SECONDS


def held(process: int) -> tuple[int, int]:
    """Return the memory and handles of a process and all that it started.

    Returns:
        Bytes of memory, of which those that several processes share count
        once, and open handles. Memory that is a file's, such as PyTorch's
        libraries, does not count: a process's part of it is smaller while
        others on the machine use the file, too.
    """
    memory = handles = 0
    waiting = [process]
    while waiting:
        folder = Path('/proc', str(waiting.pop()))
        try:
            for task in (folder / 'task').iterdir():
                waiting += map(int, (task / 'children').read_text().split())
            handles += len(os.listdir(folder / 'fd'))
            # None while the process ends.
            for line in (folder / 'smaps_rollup').read_text().splitlines():
                if line.startswith(('Pss_Anon:', 'Pss_Shmem:')):
                    memory += 1024 * int(line.split()[1])
        except OSError:
            continue  # has just ended
    return memory, handles


def train_long(folder: Path, samples: int, minutes: float) -> list[tuple]:
    """Train for minutes, with so many samples in an epoch, and measure.

    Returns:
        Number, and what :func:`level` returns, of each epoch.
    """
    people = folder / 'people'
    images = min(samples, _IMAGES)
    write_project(people, images, images)
    path = people / 'train.json'
    repeated = json.loads(path.read_text()) * -(-samples // images)
    path.write_text(json.dumps(repeated[:samples]))
    config = small_config(people, 10**6, _BATCH_SIZE, workers=2)
    config.model.backbone.update(num_stacks=8, feat_channels=16)
    config.work_dir = str(folder / 'training')
    # One line an epoch, as each says that the end is years ahead.
    config.default_hooks.logger.interval = 10**9
    runner = runners.build_runner(config)
    watch = LoadWatch(60 * minutes)
    runner.register_hook(watch, 'LOWEST')
    runner.train()
    return watch.rows


def level(train: Sequence[tuple], val: Sequence[tuple]
          ) -> tuple[float, float, int]:
    """Return memory and handles of an epoch.

    Args:
        train: memory in bytes, and handles, at moments of the training.
        val: the same of the evaluation.

    Returns:
        Bytes in training and in evaluation, and handles. Memory is the
        median, as what is in flight between processes comes and goes. Each
        batch in flight has handles, so of these it is the fewest.
    """
    memory = [statistics.median(x[0] for x in each) for each in (train, val)]
    return memory[0], memory[1], min(x[1] for x in [*train, *val])


def growth(epochs: Sequence[tuple]) -> tuple[float, int]:
    """Return the growth from the least to the most after the second epoch.

    Args:
        epochs: numbers and what :func:`level` returns; three at least.

    Returns:
        Growth of memory as a part of the least, the larger one of training and
        evaluation, and growth of the number of handles.
    """
    _, *memory, handles = zip(*epochs[_WARM_UP:])
    return (max(max(values) / min(values) - 1 for values in memory),
            max(handles) - min(handles))


def _row(epoch: int, training: float, evaluation: float, handles: int) -> str:
    return (f'| {epoch} | {training / 1e6:.0f} | {evaluation / 1e6:.0f} | '
            f'{handles} |')


def check(folder: Path, samples: int, minutes: float) -> dict[str, bool]:
    """Train; return what was checked, and whether it is as it must be."""
    epochs = train_long(folder, samples, minutes)
    print('| epoch | training, MB | evaluation, MB | open handles |',
          '|---|---|---|---|', *itertools.starmap(_row, epochs), sep='\n')
    memory, handles = growth(epochs)
    return {
        f'after the second epoch memory differs by {100 * memory:.2f} %, at '
        f'most {100 * TOLERANCE:.0f}': memory <= TOLERANCE,
        f'after the second epoch handles differ by {handles}': handles == 0,
    }


if __name__ == '__main__':
    run_script(__doc__, check, samples=20_000, minutes=60.0)
