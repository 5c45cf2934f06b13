#!/usr/bin/env python
"""Kill a training again and again, resume it, compare it with another.

A small network is trained once undisturbed, and then ended by SIGKILL
(``--kills``) and SIGTERM (``--stops``) at random moments and resumed each
time, with each number of loader processes (``--workers``). Exit status 1 if a
checkpoint, the log or a file differs in the end. For systems that fork.
"""
import copy
import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.runner import find_latest_checkpoint
from small_training import run_script, small_config

from small_project import write_project  # isort: skip, by small_training

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

    def __init__(self, folder, epochs, seed):
        self.folder = folder
        self._random = random.Random(seed)
        write_project(folder / 'people', _BATCHES * _BATCH_SIZE, 6)
        self._config = small_config(folder / 'people', epochs, _BATCH_SIZE)
        self.count = Counter()  # of kills by kind
        self.problems = []

    def run(self, kills, stops, workers):
        """Train once undisturbed, and for each number of loader workers.

        Every other SIGKILL comes while a checkpoint is being written.
        """
        reference = self.folder / 'undisturbed'
        process = self._start(reference, workers[0])
        began = time.perf_counter()
        _exit_code(process, reference)
        # Mostly in the middle of an epoch, sometimes after its end.
        self._longest_wait = 1.5 * (time.perf_counter() - began) / (
            self._config.train_cfg.max_epochs)
        kinds = ['moment', 'saving'] * (kills // 2) + ['moment'] * (kills % 2)
        kinds += ['stop'] * stops
        self._random.shuffle(kinds)
        for index, number in enumerate(workers):
            own = kinds[index::len(workers)]
            while own:  # those that came too late, in another training
                self.count['runs'] += 1
                work_dir = self.folder / f'training_{self.count["runs"]}'
                own = self._disturb(work_dir, number, own)
                self.problems += [
                    f'{work_dir.name}: {difference}'
                    for difference in differences(reference, work_dir)]

    def _disturb(self, work_dir, workers, kinds):
        """Train to the end, interrupted in these ways; return those left."""
        had_best = False
        for position, kind in enumerate([*kinds, 'none']):
            process = self._start(work_dir, workers)
            if kind != 'none':
                self._end(process, kind, work_dir)
            status = _exit_code(process, work_dir)
            self.problems += _problems(work_dir, had_best)
            had_best |= any(work_dir.glob('best_*.pth'))
            if status == 0:
                return kinds[position:]
            self.count[kind] += 1
            self.count['incomplete'] += any(work_dir.glob('.*.partial*'))
        return []

    def _start(self, work_dir, workers):
        """Return a process that has begun to train, or has ended."""
        config = copy.deepcopy(self._config)
        config.work_dir = str(work_dir)
        for name in ('train', 'val'):
            config[f'{name}_dataloader'].update(
                num_workers=workers, persistent_workers=workers > 0)
        set_training(config, resume='auto')
        work_dir.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context('fork')
        trains = context.Event()
        process = context.Process(target=_train, args=(config, trains))
        process.start()
        while not trains.wait(0.05) and process.is_alive():
            continue
        return process

    def _end(self, process, kind, work_dir):
        """Send SIGTERM or SIGKILL at a random moment, if it is alive then."""
        process.join(self._random.uniform(0, self._longest_wait))
        if kind == 'saving':
            while process.is_alive() and not any(
                    work_dir.glob('.*.partial*')):
                continue
            # Writing, renaming and removing take some milliseconds.
            time.sleep(self._random.choice([0, 0.01, 0.03]))
        if process.is_alive():
            os.kill(process.pid,
                    signal.SIGTERM if kind == 'stop' else signal.SIGKILL)


def _exit_code(process, work_dir):
    """Wait for the end; RuntimeError if the training failed."""
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL, EXIT_STATUS):
        raise RuntimeError(
            f'a training ended with status {process.exitcode}:\n' +
            (work_dir / 'screen.txt').read_text()[-2000:])
    return process.exitcode


def _train(config, trains):
    """Train in this process; sets the event ``trains`` when it begins."""
    with Path(config.work_dir, 'screen.txt').open('a') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    torch.set_num_threads(1)
    runner = runners.build_runner(config)
    # Checkpoints of 8 MB take time to write.
    runner.model.register_buffer('ballast', torch.zeros(2**20))
    hook = Hook()
    hook.before_train = lambda runner: trains.set()
    runner.register_hook(hook)
    runner.train()


def differences(reference, work_dir):
    """Return how a disturbed training's work dir differs from another's.

    Returns:
        Sentences; none if weights, averages, optimizer, schedulers, histories,
        log, best checkpoint and files are equal, bit for bit.
    """
    one, other = _contents(reference), _contents(work_dir)
    return [name for name in sorted({*one, *other})
            if one.get(name) != other.get(name)]


def _contents(work_dir):
    """Return the results of a training by what is said if they differ."""
    found = {}
    for path in work_dir.iterdir():
        if path.is_file() and path.suffix not in ('.py', '.txt'):
            found[f'other files: {path.name}'] = True
        if path.suffix == '.pth':
            for key, value in read_checkpoint(str(path)).items():
                found[f'{path.name} has another {key}'] = bits(
                    _of_the_training(key, value))
    for path in work_dir.glob('*/vis_data/scalars.json'):
        for text in path.read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue  # killed while it was written
            for name in ('time', 'data_time', 'memory'):
                line.pop(name, None)
            phase = 'iteration' if 'iter' in line else 'evaluation'
            # A set: the log of a training in pieces may repeat a line.
            found.setdefault(f'the log differs at {phase} {line["step"]}',
                             set()).add(json.dumps(line, sort_keys=True))
    return found


def _of_the_training(key, value):
    """Return a checkpoint's entry without times and names of the run."""
    if key == 'meta':
        return {name: value[name] for name in ('epoch', 'iter', 'seed')}
    if key == 'message_hub':
        return {name: history
                for name, history in value['log_scalars'].items()
                if 'time' not in name}
    if key == 'progress':
        # Without loader processes augmentation seeds NumPy's and Python's;
        # which files were obsolete depends on when they were removed.
        return dict(value, obsolete=None, processes=[
            dict(state, random=state['random']['torch'])
            for state in value['processes']])
    return value


def bits(value):
    """Return nested values with types, and bytes instead of arrays."""
    if isinstance(value, HistoryBuffer):
        value = value.data
    elif isinstance(value, torch.Tensor):
        value = value.cpu().numpy()
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {key: bits(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [bits(item) for item in value]
    return type(value), value


def _problems(work_dir, had_best):
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


def check(folder, epochs, seed, kills, stops, workers):
    """Kill and resume; return what was checked, and whether it is right."""
    began = time.perf_counter()
    done = ResumeCheck(folder, epochs, seed)
    done.run(kills, stops, workers)
    count = done.count
    print(f'{count["runs"]} training runs of {epochs} epochs of '
          f'{_BATCHES} iterations, with {workers} loader processes; '
          f'{time.perf_counter() - began:.0f} s')
    print(f'SIGKILL: {count["moment"] + count["saving"]}, {count["saving"]} '
          f'while files were written, {count["incomplete"]} with an '
          f'incomplete file; SIGTERM: {count["stop"]}')
    print(*done.problems, sep='\n', end='\n' if done.problems else '')
    return {
        name: not any(part in problem for problem in done.problems)
        for name, part in (
            ('weights, averages, optimizer, schedulers, random numbers '
             'bit-equal', 'has another'),
            ('every line of the log there and the same', 'the log'),
            ('best checkpoint always there', 'best checkpoint'),
            ('every checkpoint complete at any time', 'incomplete'),
            ('no files left over or missing', 'other files'))}


if __name__ == '__main__':
    # The seed is of the moments.
    run_script(__doc__, check, epochs=4, seed=0, kills=24, stops=6,
               workers=[0, 1, 3])
