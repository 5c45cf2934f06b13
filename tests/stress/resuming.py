"""A training that is killed again and again, and must not notice.

What ``tools/check_resume.py`` measures: a small network learns drawn people,
once undisturbed, and once ended by SIGKILL and SIGTERM at random moments and
resumed each time. In the end both must have the same checkpoint, bit by bit,
the same log and the same best checkpoint.

The training has everything that a checkpoint must carry, see
:mod:`stress.small_training`.

Trainings are forked from one process that has imported everything, so this is
for systems that fork.
"""
import copy
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner, find_latest_checkpoint

from hourglass_plugin.cli.runner import (
    build_loops,
    build_runner,
    check_resumable,
)
from hourglass_plugin.cli.train import set_training
from hourglass_plugin.engine.termination import EXIT_STATUS
from hourglass_plugin.models.weights.loading import read_checkpoint
from stress.small_training import (
    draw_people,
    set_loader_processes,
    small_config,
)

_BATCHES = 7  # of an epoch
_BATCH_SIZE = 3


@dataclass
class Outcome:
    """What was found."""

    seconds: float = 0.
    undisturbed: float = 0.  # seconds of the training that nobody ends
    trainings: list[int] = field(default_factory=list)  # loader processes
    kills_at_random: int = 0
    kills_in_saving: int = 0
    incomplete_files: int = 0  # that a kill left, under no checkpoint's name
    stops: int = 0  # by SIGTERM
    problems: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How often a training was killed."""
        return self.kills_at_random + self.kills_in_saving


class ResumeCheck:
    """Trains, kills and compares.

    Args:
        folder: for the data set and the trainings; should be empty.
        epochs: how long a training is.
        seed: of the moments.
    """

    def __init__(self, folder: Path, epochs: int = 4, seed: int = 0) -> None:
        self.folder = folder
        self.epochs = epochs
        self._random = random.Random(seed)
        self._processes = multiprocessing.get_context('fork')
        people = folder / 'people'
        draw_people(people, _BATCHES * _BATCH_SIZE, 6)
        self._config = small_config(people, epochs, _BATCH_SIZE)
        self.outcome = Outcome()

    def run(self, kills: int, stops: int, workers: Sequence[int]) -> Outcome:
        """Check.

        Args:
            kills: how often to kill with SIGKILL, every other time while a
                checkpoint is being written.
            stops: how often to stop with SIGTERM.
            workers: loader processes of the trainings, by turns; the
                undisturbed one has the first number.
        """
        began = time.perf_counter()
        reference = self.folder / 'undisturbed'
        run = self._start(reference, workers[0])
        self._end(run, (0, ))
        outcome = self.outcome
        outcome.undisturbed = run.seconds
        # Of SIGKILLs every other one is aimed at the files.
        ways = ['moment', 'saving'] * (kills // 2) + ['moment'] * (kills % 2)
        ways += ['stop'] * stops
        self._random.shuffle(ways)
        shares = [ways[i::len(workers)] for i in range(len(workers))]
        index = 0
        while any(shares):
            number = workers[index % len(workers)]
            ways = shares[index % len(workers)]
            if ways:
                work_dir = self.folder / f'training_{index}'
                self._disturb(work_dir, number, ways)
                outcome.trainings.append(number)
                outcome.problems += [
                    f'{work_dir.name}: {problem}'
                    for problem in differences(reference, work_dir)
                ]
            index += 1
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _disturb(self, work_dir: Path, workers: int, ways: list[str]) -> None:
        """Train to the end, ended in these ways in between; takes them out."""
        has_best = False
        while True:
            way = ways[0] if ways else None
            aim = None
            if way == 'saving':
                # A checkpoint and its evaluation touch some 15 files.
                aim = _Aim(self._random.randrange(20),
                           self._random.random() < 0.5)
            run = self._start(work_dir, workers, aim)
            if way in ('moment', 'stop'):
                # Mostly in the middle of an epoch, sometimes after its end.
                run.wait(
                    self._random.uniform(
                        0, 1.5 * self.outcome.undisturbed / self.epochs))
                run.send(signal.SIGKILL if way ==
                         'moment' else signal.SIGTERM)
            status = self._end(run, (0, -signal.SIGKILL, EXIT_STATUS))
            problems, has_best = _state_problems(work_dir, has_best)
            self.outcome.problems += [
                f'{work_dir.name} after {way}: {problem}'
                for problem in problems
            ]
            if status == 0:
                return  # it was too late for another one
            ways.pop(0)
            self.outcome.stops += way == 'stop'
            self.outcome.kills_at_random += way == 'moment'
            self.outcome.kills_in_saving += way == 'saving'
            self.outcome.incomplete_files += any(
                work_dir.glob('.*.partial*'))

    def _start(self,
               work_dir: Path,
               workers: int,
               aim: Optional['_Aim'] = None) -> '_Run':
        config = copy.deepcopy(self._config)
        config.work_dir = str(work_dir)
        set_loader_processes(config, workers)
        set_training(config, 'auto', False, True, False)
        config.launcher = 'none'
        # mmengine lays it out for its log; here once, for all forked ones.
        _ = config.pretty_text
        work_dir.mkdir(parents=True, exist_ok=True)
        return _Run(self._processes, config, aim)

    def _end(self, run: '_Run', expected: Sequence[int]) -> int:
        status = run.end()
        if status not in expected:
            last = run.screen.read_text().strip().splitlines()[-12:]
            raise RuntimeError(f'a training ended with status {status}:\n' +
                               '\n'.join(last))
        return status


@dataclass
class _Aim:
    """The moment in which a process kills itself.

    Args:
        event: before the how manieth time that a checkpoint's file is opened,
            renamed or removed, counted from 0.
        is_in_writing: rather while the next such file is written.
    """

    event: int
    is_in_writing: bool

    def take(self, work_dir: str) -> None:
        """Watch this process's files from now on."""
        prefix = os.path.join(work_dir, '')

        def watch(event: str, arguments: tuple) -> None:
            if event not in ('open', 'os.rename', 'os.remove'):
                return
            path = str(arguments[0])
            if not path.startswith(prefix) or not (
                    '.pth' in path or 'last_checkpoint' in path):
                return
            self.event -= 1
            if self.event >= 0:
                return
            if not self.is_in_writing:
                os.kill(os.getpid(), signal.SIGKILL)
            if event == 'open' and 'w' in str(arguments[1]):
                threading.Thread(
                    target=_kill_when_begun, args=(path, ),
                    daemon=True).start()

        sys.addaudithook(watch)


def _kill_when_begun(path: str) -> None:
    """Kill this process when something of a file is there."""
    while True:
        try:
            if os.stat(path).st_size:
                os.kill(os.getpid(), signal.SIGKILL)
        except FileNotFoundError:
            continue


class _Run:
    """A process that trains."""

    def __init__(self, processes: Any, config: Config,
                 aim: Optional[_Aim]) -> None:
        self.screen = Path(config.work_dir) / 'screen.txt'
        self._trains = processes.Event()
        self._process = processes.Process(
            target=_train, args=(config, self.screen, aim, self._trains))
        self._process.start()
        self.seconds = 0.

    def wait(self, seconds: float) -> None:
        """Wait until it has trained for so long, or has ended."""
        while not self._trains.wait(0.05) and self._process.is_alive():
            continue
        self._process.join(seconds)

    def send(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def end(self) -> int:
        """Wait until it has ended.

        Returns:
            The exit status; minus the signal that killed it.
        """
        while not self._trains.wait(0.05) and self._process.is_alive():
            continue
        began = time.perf_counter()
        self._process.join()
        self.seconds = time.perf_counter() - began
        return self._process.exitcode


class _Began(Hook):
    """Says that the training is about to begin, where it was."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def before_train(self, runner: Runner) -> None:
        self._event.set()


def _train(config: Config, screen: Path, aim: Optional[_Aim],
           trains: Any) -> None:
    """Train with ``--resume``, as ``tools/train.py`` does."""
    with screen.open('a') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    torch.set_num_threads(1)
    runner = build_runner(config)
    # Checkpoints of 8 MB, for there to be time while they are written.
    runner.model.register_buffer('ballast', torch.zeros(2**20))
    build_loops(runner, 'train', 'val')
    check_resumable(runner, config.load_from)
    runner.register_hook(_Began(trains))
    if aim is not None:
        aim.take(config.work_dir)
    runner.train()


def differences(reference: Path, work_dir: Path) -> list[str]:
    """How a disturbed training differs from one that was not.

    Args:
        reference: work dir of the undisturbed one.
        work_dir: of the other.

    Returns:
        Sentences; none if weights, averages, optimizer, schedulers, histories,
        log, best checkpoint and files are all the same.
    """
    found = []
    names = [{
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in ('.py', '.txt')
    } for folder in (reference, work_dir)]
    if names[0] != names[1]:
        found.append(f'there are {sorted(names[1])}, not {sorted(names[0])}')
    for name in sorted(x for x in names[0] & names[1] if x.endswith('.pth')):
        one, other = (
            read_checkpoint(str(folder / name))
            for folder in (reference, work_dir))
        found += [
            f'{name} has another {key}' for key in one
            if not _are_equal(_of_the_training(key, one[key]),
                              _of_the_training(key, other.get(key)))
        ]
    whole, pieces = log_lines(reference), log_lines(work_dir)
    for key in sorted({*whole, *pieces}, key=str):
        lines = pieces.get(key, [])
        if not lines:
            found.append(f'the log has no line of {" ".join(map(str, key))}')
        elif any(line != whole.get(key, [None])[0] for line in lines):
            found.append(f'the log has another line of '
                         f'{" ".join(map(str, key))}')
    return found


def log_lines(work_dir: Path) -> dict[tuple[str, int], list[dict]]:
    """What was logged, without times, by phase and step, oldest first."""
    lines: dict[tuple[str, int], list[dict]] = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue  # killed while it was written
            for name in ('time', 'data_time', 'memory'):
                line.pop(name, None)
            phase = 'iteration' if 'iter' in line else 'evaluation'
            lines.setdefault((phase, line['step']), []).append(line)
    return lines


def _state_problems(work_dir: Path,
                    had_best: bool) -> tuple[list[str], bool]:
    """What is wrong with what a killed training left."""
    found = []
    for path in work_dir.glob('[!.]*.pth'):
        try:
            read_checkpoint(str(path))
        except ValueError as error:
            found.append(str(error))
    latest = find_latest_checkpoint(str(work_dir))
    if latest is not None and not Path(latest).is_file():
        found.append(f'last_checkpoint names {latest}, which is not there')
    has_best = any(work_dir.glob('best_*.pth'))
    if had_best and not has_best:
        found.append('the best checkpoint is gone')
    return found, has_best


def _of_the_training(key: str, value: Any) -> Any:
    """An entry of a checkpoint, without times and what names the run."""
    if key == 'meta':
        return {name: value[name] for name in ('epoch', 'iter', 'seed')}
    if key == 'message_hub':
        return {
            name: history.data
            for name, history in value['log_scalars'].items()
            if 'time' not in name
        }
    if key == 'progress':
        # Without loader processes augmentation seeds NumPy's and Python's.
        return dict(
            value,
            processes=[
                dict(state, random=state['random']['torch'])
                for state in value['processes']
            ])
    return value


def _are_equal(one: Any, other: Any) -> bool:
    """Whether both are the same, bit by bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, HistoryBuffer):
        return _are_equal(one.data, other.data)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _are_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_are_equal, one, other))
    return one == other


def figures(outcome: Outcome, epochs: int) -> Iterator[str]:
    """The lines that the tool prints."""
    iterations = epochs * _BATCHES
    yield (f'undisturbed: {epochs} epochs, {iterations} iterations, '
           f'{epochs} evaluations in {outcome.undisturbed:.1f} s')
    yield (f'disturbed: {len(outcome.trainings)} trainings with '
           f'{", ".join(map(str, outcome.trainings))} loader processes')
    yield (f'SIGKILL: {outcome.kills}, {outcome.kills_in_saving} of them '
           f'while checkpoints were written, {outcome.incomplete_files} with '
           'an incomplete file; '
           f'SIGTERM: {outcome.stops}; {outcome.seconds:.0f} s in all')
    for what, words in (
        ('weights, averages, optimizer, schedulers, random numbers bit-equal',
         ('.pth has another', )),
        ('every line of the log there and the same', ('the log has', )),
        ('best checkpoint always there', ('best checkpoint', )),
        ('every checkpoint complete at any time',
         ('is not a checkpoint', 'which is not there')),
        ('no files left over or missing', ('there are', )),
    ):
        is_wrong = any(word in problem for problem in outcome.problems
                       for word in words)
        yield f'{what}: {"NO" if is_wrong else "yes"}'
    yield from outcome.problems
