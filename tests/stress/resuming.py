#!/usr/bin/env python
"""Kill a training again and again, resume it, compare it with another.

A small network is trained once undisturbed, and then ended by SIGKILL and
SIGTERM at random moments and resumed each time. Exit status 1 if a checkpoint,
the log or a file differs in the end. For systems that fork.
"""
import argparse
import copy
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner, find_latest_checkpoint
from small_training import finish, output_folder, small_config, write_dataset

from hourglass_plugin.cli import runner as runners
from hourglass_plugin.cli.train import set_training
from hourglass_plugin.engine.termination import EXIT_STATUS
from hourglass_plugin.models.weights.loading import read_checkpoint

_BATCHES = 7  # of an epoch
_BATCH_SIZE = 3


class ResumeCheck:
    """Trains, kills and compares.

    Args:
        folder: for the dataset and the trainings; should be empty.
        epochs: length of a training.
        seed: of the moments.
    """

    def __init__(self, folder: Path, epochs: int, seed: int) -> None:
        self.folder = folder
        self._random = random.Random(seed)
        self._config = small_config(folder / 'people', epochs, _BATCH_SIZE)
        self.count: Counter = Counter()  # of kills by kind
        self.problems: list[str] = []
        write_dataset(folder / 'people', _BATCHES * _BATCH_SIZE, 6)

    def run(self, kills: int, stops: int, workers: Sequence[int]) -> None:
        """Train once undisturbed, and once for each number of workers.

        Args:
            kills: how often to kill with SIGKILL, every other time while a
                checkpoint is being written.
            stops: how often to stop with SIGTERM.
            workers: numbers of loader processes.
        """
        reference = self.folder / 'undisturbed'
        run = self._start(reference, workers[0])
        run.wait(0)
        began = time.perf_counter()
        self._end(run, (0, ))
        self._seconds = time.perf_counter() - began
        kinds = ['moment', 'saving'] * (kills // 2) + ['moment'] * (kills % 2)
        kinds += ['stop'] * stops
        self._random.shuffle(kinds)
        while kinds:
            for index, number in enumerate(workers):
                # Of those that come too late, the next training has some.
                share = len(kinds) // (len(workers) - index)
                own, kinds = kinds[:share], kinds[share:]
                self.count['trainings'] += 1
                work_dir = self.folder / f'training_{self.count["trainings"]}'
                kinds += self._disturb(work_dir, number, own)
                self.problems += differences(reference, work_dir)

    def _disturb(self, work_dir: Path, workers: int,
                 kinds: list[str]) -> list[str]:
        """Train to the end, interrupted in these ways; return those left."""
        had_best = False
        kinds = [*kinds, 'none']
        for position, kind in enumerate(kinds):
            aim = None
            if kind == 'saving':
                # A checkpoint and its evaluation touch some 15 files.
                aim = _Aim(self._random.randrange(20),
                           self._random.random() < 0.5)
            run = self._start(work_dir, workers, aim)
            if kind in ('moment', 'stop'):
                # Mostly in the middle of an epoch, sometimes after its end.
                run.wait(
                    self._random.uniform(
                        0, 1.5 * self._seconds /
                        self._config.train_cfg.max_epochs))
                run.send(signal.SIGKILL if kind ==
                         'moment' else signal.SIGTERM)
            status = self._end(run, (0, -signal.SIGKILL, EXIT_STATUS))
            self.problems += _problems(work_dir, had_best)
            had_best |= any(work_dir.glob('best_*.pth'))
            if status == 0:
                return kinds[position:-1]
            self.count[kind] += 1
            self.count['incomplete'] += any(work_dir.glob('.*.partial*'))
        return []

    def _start(self, work_dir: Path, workers: int,
               aim: '_Aim | None' = None) -> '_Run':
        config = copy.deepcopy(self._config)
        config.work_dir = str(work_dir)
        for name in ('train', 'val'):
            config[f'{name}_dataloader'].update(
                num_workers=workers, persistent_workers=workers > 0)
        set_training(config, resume='auto')
        work_dir.mkdir(parents=True, exist_ok=True)
        return _Run(config, aim)

    def _end(self, run: '_Run', expected: Sequence[int]) -> int:
        run.process.join()
        if run.process.exitcode not in expected:
            raise RuntimeError(
                f'a training ended with status {run.process.exitcode}:\n' +
                '\n'.join(run.screen.read_text().splitlines()[-12:]))
        return run.process.exitcode


class _Aim:
    """The moment in which a process kills itself.

    Args:
        event: before which opening, renaming or removal of a checkpoint's
            file, counted from 0.
        is_in_writing: instead while the next such file is written.
    """

    def __init__(self, event: int, is_in_writing: bool) -> None:
        self.event = event
        self.is_in_writing = is_in_writing

    def watch(self, work_dir: str) -> None:
        """Watch this process's files from now on."""

        def audit(event: str, arguments: tuple) -> None:
            if event not in ('open', 'os.rename', 'os.remove'):
                return
            path = str(arguments[0])
            if not path.startswith(os.path.join(work_dir, '')) or not (
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

        sys.addaudithook(audit)


def _kill_when_begun(path: str) -> None:
    """Kill this process when a part of a file is written."""
    while not (os.path.exists(path) and os.stat(path).st_size):
        continue
    os.kill(os.getpid(), signal.SIGKILL)


class _Run(Hook):
    """A process that trains; its hook tells when training begins."""

    def __init__(self, config: Config, aim: _Aim | None) -> None:
        context = multiprocessing.get_context('fork')
        self.screen = Path(config.work_dir, 'screen.txt')
        self._trains = context.Event()
        self.process = context.Process(target=self._train, args=(config, aim))
        self.process.start()

    def before_train(self, runner: Runner) -> None:
        self._trains.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has trained for so long, or has ended."""
        while not self._trains.wait(0.05) and self.process.is_alive():
            continue
        self.process.join(seconds)

    def send(self, number: int) -> None:
        """Send a signal if the process is alive."""
        if self.process.is_alive():
            os.kill(self.process.pid, number)

    def _train(self, config: Config, aim: _Aim | None) -> None:
        with self.screen.open('a') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        torch.set_num_threads(1)
        runner = runners.build_runner(config)
        # Checkpoints of 8 MB take time to write.
        runner.model.register_buffer('ballast', torch.zeros(2**20))
        runners.build_loops(runner, 'train', 'val')
        runners.check_resumable(runner, config.load_from)
        runner.register_hook(self)
        if aim is not None:
            aim.watch(config.work_dir)
        runner.train()


def differences(reference: Path, work_dir: Path) -> list[str]:
    """Return how a disturbed training differs from an undisturbed one.

    Args:
        reference: work dir of the undisturbed one.
        work_dir: of the other.

    Returns:
        Sentences; none if weights, averages, optimizer, schedulers, histories,
        log, best checkpoint and files are equal, bit for bit.
    """
    names = [{
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in ('.py', '.txt')
    } for folder in (reference, work_dir)]
    found = [f'{work_dir.name} has other files: {sorted(x)}'
             for x in names[1:] if x != names[0]]
    for name in sorted(x for x in names[0] & names[1] if x.endswith('.pth')):
        one, other = (
            read_checkpoint(str(folder / name))
            for folder in (reference, work_dir))
        found += [
            f'{name} has another {key}' for key in one
            if not _are_equal(_of_the_training(key, one[key]),
                              _of_the_training(key, other.get(key)))
        ]
    whole, pieces = _log_lines(reference), _log_lines(work_dir)
    for key in sorted({*whole, *pieces}, key=str):
        lines = pieces.get(key, [])
        if not lines or any(x != whole.get(key, [None])[0] for x in lines):
            found.append(f'the log differs at {" ".join(map(str, key))}')
    return found


def _log_lines(work_dir: Path) -> dict[tuple[str, int], list[dict]]:
    """Return the log without times, by phase and step, oldest first."""
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


def _problems(work_dir: Path, had_best: bool) -> list[str]:
    """Return what is wrong with the files that a killed training left."""
    found = []
    for path in work_dir.glob('[!.]*.pth'):
        try:
            read_checkpoint(str(path))
        except ValueError as error:
            found.append(f'incomplete: {error}')
    latest = find_latest_checkpoint(str(work_dir))
    if latest is not None and not Path(latest).is_file():
        found.append(f'incomplete: last_checkpoint names {latest}')
    if had_best and not any(work_dir.glob('best_*.pth')):
        found.append(f'{work_dir.name}: the best checkpoint is gone')
    return found


def _of_the_training(key: str, value: Any) -> Any:
    """Return a checkpoint's entry without times and names of the run."""
    if key == 'meta':
        return {name: value[name] for name in ('epoch', 'iter', 'seed')}
    if key == 'message_hub':
        return {
            name: history.data
            for name, history in value['log_scalars'].items()
            if 'time' not in name
        }
    if key == 'progress':
        # Without loader processes augmentation seeds NumPy's and Python's;
        # which files were obsolete depends on when they were removed.
        return dict(
            value,
            obsolete=None,
            processes=[
                dict(state, random=state['random']['torch'])
                for state in value['processes']
            ])
    return value


def _are_equal(one: Any, other: Any) -> bool:
    """Return whether two objects are equal, bit for bit."""
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


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', help='folder that keeps the trainings')
    parser.add_argument('--kills', type=int, default=24, help='SIGKILLs')
    parser.add_argument('--stops', type=int, default=6, help='SIGTERMs')
    parser.add_argument(
        '--workers',
        type=int,
        nargs='+',
        default=[0, 1, 3],
        help='numbers of loader processes')
    parser.add_argument('--epochs', type=int, default=4)
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Check and print what was found."""
    began = time.perf_counter()
    with output_folder(args) as folder:
        check = ResumeCheck(folder, args.epochs, args.seed)
        check.run(args.kills, args.stops, args.workers)
    count = check.count
    print(f'{count["trainings"]} trainings of {args.epochs} epochs of '
          f'{_BATCHES} iterations, with {args.workers} loader processes; '
          f'{time.perf_counter() - began:.0f} s')
    print(f'SIGKILL: {count["moment"] + count["saving"]}, {count["saving"]} '
          f'while files were written, {count["incomplete"]} with an '
          f'incomplete file; SIGTERM: {count["stop"]}')
    for problem in check.problems:
        print(problem)
    finish({
        name: not any(part in problem for problem in check.problems)
        for name, part in (
            ('weights, averages, optimizer, schedulers, random numbers '
             'bit-equal', 'has another'),
            ('every line of the log there and the same', 'the log'),
            ('best checkpoint always there', 'best checkpoint'),
            ('every checkpoint complete at any time', 'incomplete'),
            ('no files left over or missing', 'other files'),
        )
    })


if __name__ == '__main__':
    main(parse_args())
