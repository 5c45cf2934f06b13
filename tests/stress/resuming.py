#!/usr/bin/env python
"""Kill a training again and again, resume it, compare it with another.

A small network is trained once undisturbed, and then ended by SIGKILL and
SIGTERM at random moments and resumed each time. Exit status 1 if a checkpoint,
the log or a file differs in the end. For systems that fork.
"""
import copy
import json
import multiprocessing
import os
import random
import signal
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
from small_training import (
    finish,
    output_folder,
    script_parser,
    small_config,
    write_dataset,
)

from hourglass_plugin.cli import runner as runners
from hourglass_plugin.cli.train import set_training
from hourglass_plugin.engine.termination import EXIT_STATUS
from hourglass_plugin.models.weights.loading import read_checkpoint

_BATCHES = 7  # of an epoch
_BATCH_SIZE = 3


class ResumeCheck:
    """Trains, kills and compares.

    Args:
        folder: for the dataset and the training runs; should be empty.
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
        """Train once undisturbed, and for each number of loader workers.

        Every other SIGKILL comes while a checkpoint is being written.
        """
        reference = self.folder / 'undisturbed'
        run = self._start(reference, workers[0])
        run.wait(0)
        began = time.perf_counter()
        run.end([0])
        self._seconds = time.perf_counter() - began
        kinds = ['moment', 'saving'] * (kills // 2) + ['moment'] * (kills % 2)
        kinds += ['stop'] * stops
        self._random.shuffle(kinds)
        for index, number in enumerate(workers):
            own = kinds[index::len(workers)]
            while own:  # those that came too late, in another training
                self.count['trainings'] += 1
                work_dir = self.folder / f'training_{self.count["trainings"]}'
                own = self._disturb(work_dir, number, own)
                self.problems += differences(reference, work_dir)

    def _disturb(self, work_dir: Path, workers: int,
                 kinds: list[str]) -> list[str]:
        """Train to the end, interrupted in these ways; return those left."""
        had_best = False
        for position, kind in enumerate([*kinds, 'none']):
            run = self._start(work_dir, workers)
            if kind != 'none':
                # Mostly in the middle of an epoch, sometimes after its end.
                epoch = self._seconds / self._config.train_cfg.max_epochs
                run.wait(self._random.uniform(0, 1.5 * epoch))
                if kind == 'saving':
                    run.wait_until_saving()
                    # Writing, renaming and removing take some milliseconds.
                    time.sleep(self._random.choice([0, 0.01, 0.03]))
                run.send(signal.SIGTERM if kind == 'stop' else signal.SIGKILL)
            status = run.end([0, -signal.SIGKILL, EXIT_STATUS])
            self.problems += _problems(work_dir, had_best)
            had_best |= any(work_dir.glob('best_*.pth'))
            if status == 0:
                return kinds[position:]
            self.count[kind] += 1
            self.count['incomplete'] += any(work_dir.glob('.*.partial*'))
        return []

    def _start(self, work_dir: Path, workers: int) -> '_Run':
        config = copy.deepcopy(self._config)
        config.work_dir = str(work_dir)
        for name in ('train', 'val'):
            config[f'{name}_dataloader'].update(
                num_workers=workers, persistent_workers=workers > 0)
        set_training(config, resume='auto')
        work_dir.mkdir(parents=True, exist_ok=True)
        return _Run(config)


class _Run(Hook):
    """A process that trains; its hook tells when training begins."""

    def __init__(self, config: Config) -> None:
        context = multiprocessing.get_context('fork')
        self.work_dir = Path(config.work_dir)
        self._screen = self.work_dir / 'screen.txt'
        self._trains = context.Event()
        self._process = context.Process(target=self._train, args=(config, ))
        self._process.start()

    def before_train(self, runner: Runner) -> None:
        self._trains.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has trained for so long, or has ended."""
        while not self._trains.wait(0.05) and self._process.is_alive():
            continue
        self._process.join(seconds)

    def wait_until_saving(self) -> None:
        """Wait until a file is incomplete, or the process has ended."""
        while self._process.is_alive() and not any(
                self.work_dir.glob('.*.partial*')):
            continue

    def send(self, number: int) -> None:
        """Send a signal if the process is alive."""
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def end(self, expected: Sequence[int]) -> int:
        """Wait for the end, and return an exit code that was expected."""
        self._process.join()
        if self._process.exitcode not in expected:
            raise RuntimeError(
                f'a training ended with status {self._process.exitcode}:\n' +
                self._screen.read_text()[-2000:])
        return self._process.exitcode

    def _train(self, config: Config) -> None:
        with self._screen.open('a') as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        torch.set_num_threads(1)
        runner = runners.build_runner(config)
        # Checkpoints of 8 MB take time to write.
        runner.model.register_buffer('ballast', torch.zeros(2**20))
        runners.build_loops(runner, 'train', 'val')
        runners.check_resumable(runner, config.load_from)
        runner.register_hook(self)
        runner.train()


def differences(reference: Path, work_dir: Path) -> list[str]:
    """Return how a disturbed training's work dir differs from another's.

    Returns:
        Sentences; none if weights, averages, optimizer, schedulers, histories,
        log, best checkpoint and files are equal, bit for bit.
    """
    names, own = ({
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in ('.py', '.txt')
    } for folder in (reference, work_dir))
    found = []
    if own != names:
        found.append(f'{work_dir.name} has other files: {sorted(own)}')
    for name in sorted(x for x in names & own if x.endswith('.pth')):
        one, other = (
            read_checkpoint(str(folder / name))
            for folder in (reference, work_dir))
        found += [
            f'{name} has another {key}' for key in one
            if not _are_equal(_of_the_training(key, one[key]),
                              _of_the_training(key, other.get(key)))
        ]
    whole, pieces = _log_lines(reference), _log_lines(work_dir)
    for key in sorted({*whole, *pieces}):
        # Pieces may repeat a line.
        if set(pieces.get(key, [])) != set(whole.get(key, [])):
            found.append(f'the log differs at {key[0]} {key[1]}')
    return found


def _log_lines(work_dir: Path) -> dict[tuple[str, int], list[str]]:
    """Return the log without times, by phase and step."""
    lines: dict[tuple[str, int], list[str]] = {}
    for path in work_dir.glob('*/vis_data/scalars.json'):
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue  # killed while it was written
            for name in ('time', 'data_time', 'memory'):
                line.pop(name, None)
            phase = 'iteration' if 'iter' in line else 'evaluation'
            lines.setdefault((phase, line['step']), []).append(
                json.dumps(line, sort_keys=True))
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
    if isinstance(one, HistoryBuffer):
        return _are_equal(one.data, other.data)
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            _are_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_are_equal, one, other))
    return one == other


def main() -> None:
    """Check and print what was found."""
    parser = script_parser(__doc__)
    parser.add_argument('--kills', type=int, default=24, help='SIGKILLs')
    parser.add_argument('--stops', type=int, default=6, help='SIGTERMs')
    parser.add_argument(
        '--workers',
        type=int,
        nargs='+',
        default=[0, 1, 3],
        help='numbers of loader processes')
    parser.add_argument('--epochs', type=int, default=4, help='of a training')
    parser.add_argument('--seed', type=int, default=0, help='of the moments')
    args = parser.parse_args()
    began = time.perf_counter()
    with output_folder(args) as folder:
        check = ResumeCheck(folder, args.epochs, args.seed)
        check.run(args.kills, args.stops, args.workers)
    count = check.count
    print(f'{count["trainings"]} training runs of {args.epochs} epochs of '
          f'{_BATCHES} iterations, with {args.workers} loader processes; '
          f'{time.perf_counter() - began:.0f} s')
    print(f'SIGKILL: {count["moment"] + count["saving"]}, {count["saving"]} '
          f'while files were written, {count["incomplete"]} with an '
          f'incomplete file; SIGTERM: {count["stop"]}')
    print(*check.problems, sep='\n', end='\n' if check.problems else '')
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
    main()
