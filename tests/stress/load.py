"""A long training whose memory must not grow.

What ``tools/check_load.py`` measures: the paper's eight stacks, narrow ones on
small pictures, learn drawn people whose annotations are repeated, and are
evaluated after each epoch, as long as it is asked for. The process and its
loader processes are looked at all the time. For Linux 5.4 and later.
"""
import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hourglass_plugin.cli.runner import build_loops, build_runner
from hourglass_plugin.cli.train import set_training
from stress.small_training import draw_people, small_config

#: By how much memory may differ from epoch to epoch.
TOLERANCE = 0.02

_DRAWN = 200  # people, of whom the annotations are repeated
_BATCH_SIZE = 16
_SECONDS = 2.0  # from look to look
# Epochs until everything has been needed once: the loader processes of the
# evaluation are forked in the first, and what the training rewrites of the
# memory that it had until then is there twice in the second.
_WARM_UP = 2


class Look(NamedTuple):
    """What the processes hold at a moment."""

    epoch: int  #: counted from 1
    phase: str  #: 'train' or 'val'
    memory: int  #: bytes, see :func:`held`
    handles: int  #: open files, pipes and sockets


class Level(NamedTuple):
    """What the processes hold in an epoch and its evaluation.

    Memory is the median, as what is in flight between processes comes and
    goes. Each batch in flight has handles, so of these it is the fewest.
    """

    epoch: int  #: counted from 1
    training: float  #: bytes
    evaluation: float  #: bytes
    handles: int


class LoadWatch(Hook):
    """Looks every two seconds; ends a training when its time is over.

    Args:
        seconds: how long to train; the epoch that is begun is finished, and
            evaluated.
    """

    def __init__(self, seconds: float) -> None:
        self.looks: list[Look] = []
        self._end = time.monotonic() + seconds
        self._next = 0.

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Look at training."""
        self._look(runner, 'train')

    def after_val_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        """Look at evaluation."""
        self._look(runner, 'val')

    def after_train_epoch(self, runner: Runner) -> None:
        """See whether the time is over."""
        self._look(runner, 'train', always=True)
        if time.monotonic() > self._end and runner.epoch >= _WARM_UP + 1:
            runner.train_loop.stop_training = True

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Look once at least, and say what there is."""
        self._look(runner, 'val', always=True)
        last = levels(self.looks)[-1]
        minutes = max(0., self._end - time.monotonic()) / 60
        runner.logger.info(
            f'{_megabytes(last.training)} MB in training, '
            f'{_megabytes(last.evaluation)} MB in evaluation, '
            f'{last.handles} open handles; {minutes:.0f} minutes left')

    def _look(self, runner: Runner, phase: str, always: bool = False) -> None:
        now = time.monotonic()
        if now < self._next and not always:
            return
        # An evaluation comes when the epoch is counted.
        epoch = runner.epoch + (phase == 'train')
        self.looks.append(Look(epoch, phase, *held(os.getpid())))
        self._next = time.monotonic() + _SECONDS


def held(process: int) -> tuple[int, int]:
    """What a process and all that it has started hold.

    Args:
        process: its number.

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
            memory += _proportional_memory(folder)
        except OSError:
            continue  # has just ended
    return memory, handles


def is_measurable() -> bool:
    """Whether the system says what :func:`held` needs."""
    path = Path('/proc/self/smaps_rollup')
    return path.exists() and 'Pss_Anon:' in path.read_text()


def _proportional_memory(folder: Path) -> int:
    lines = (folder / 'smaps_rollup').read_text().splitlines()
    # None while the process ends.
    return sum(1024 * int(line.split()[1]) for line in lines
               if line.startswith(('Pss_Anon:', 'Pss_Shmem:')))


def train_long(folder: Path, people: int, minutes: float) -> list[Look]:
    """Train and look.

    Args:
        folder: for the data set and the training; should be empty.
        people: in an epoch.
        minutes: how long.
    """
    config = _config(folder, people)
    runner = build_runner(config)
    watch = LoadWatch(60 * minutes)
    runner.register_hook(watch, 'LOWEST')
    build_loops(runner, 'train', 'val')
    runner.train()
    return watch.looks


def _config(folder: Path, people: int) -> Config:
    data = folder / 'people'
    drawn = min(people, _DRAWN)
    draw_people(data, drawn, drawn)
    path = data / 'annotations' / 'mpii_train.json'
    entries = json.loads(path.read_text())
    repeated = (entries * -(-people // drawn))[:people]
    path.write_text(json.dumps(repeated))
    config = small_config(data, 10**6, _BATCH_SIZE)
    config.model.backbone.update(num_stacks=8, feat_channels=16)
    config.work_dir = str(folder / 'training')
    # One line an epoch, as each says that the end is years ahead.
    config.default_hooks.logger.interval = 10**9
    set_training(config, None, False, True, False)
    return config


def levels(looks: Sequence[Look]) -> list[Level]:
    """The level of each epoch that was evaluated."""
    found = []
    for epoch in sorted({look.epoch for look in looks}):
        training, evaluation = ([
            look for look in looks
            if look.epoch == epoch and look.phase == phase
        ] for phase in ('train', 'val'))
        if training and evaluation:
            found.append(
                Level(epoch,
                      statistics.median(look.memory for look in training),
                      statistics.median(look.memory for look in evaluation),
                      min(look.handles for look in training + evaluation)))
    return found


def growth(epochs: Sequence[Level]) -> tuple[float, int]:
    """From the least to the most of the epochs after the second.

    Args:
        epochs: three at least.

    Returns:
        Growth of memory as a part of the least, the larger one of training and
        evaluation, and growth of the number of handles.
    """
    later = epochs[_WARM_UP:]
    memory = 0.
    for values in ([each.training for each in later],
                   [each.evaluation for each in later]):
        memory = max(memory, max(values) / min(values) - 1)
    handles = [each.handles for each in later]
    return memory, max(handles) - min(handles)


def is_flat(epochs: Sequence[Level]) -> bool:
    """Whether neither memory nor handles grow."""
    memory, handles = growth(epochs)
    return memory <= TOLERANCE and handles == 0


def figures(epochs: Sequence[Level]) -> Iterator[str]:
    """The lines that the tool prints."""
    yield '| epoch | training, MB | evaluation, MB | open handles |'
    yield '| --- | --- | --- | --- |'
    for each in epochs:
        yield (f'| {each.epoch} | {_megabytes(each.training)} | '
               f'{_megabytes(each.evaluation)} | {each.handles} |')
    memory, handles = growth(epochs)
    yield (f'after the second epoch memory differs by {100 * memory:.2f} %, '
           f'at most {100 * TOLERANCE:.0f}: '
           f'{"yes" if memory <= TOLERANCE else "NO"}')
    yield (f'after the second epoch handles differ by {handles}, at most 0: '
           f'{"NO" if handles else "yes"}')


def _megabytes(size: float) -> str:
    return f'{size / 1e6:.0f}'
