"""One, two and three processes that must find the same.

What ``tools/check_distributed.py`` measures, without GPUs: the losses of a
small training (:mod:`stress.small_training`) with the same
number of samples in a step, the scores and predictions of its weights, and
what becomes of a job of which a process dies. Batch norm is synchronised.

Most processes are forked from one that has imported everything; those that die
are started by the scripts that the documentation says. For Linux.
"""
import copy
import math
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

from hourglass_plugin.cli.configs import write_json
from hourglass_plugin.cli.distributed import connected_processes
from hourglass_plugin.cli.runner import build_loops, build_runner
from hourglass_plugin.cli.test import set_test_outputs
from hourglass_plugin.cli.train import set_training
from hourglass_plugin.evaluation.files.predictions import read_dump
from hourglass_plugin.models.weights.loading import (
    load_weights,
    read_checkpoint,
)
from stress.resuming import differences
from stress.small_training import (
    draw_people,
    set_loader_processes,
    small_config,
)

COUNTS = (1, 2, 3)  # of processes
_BATCH = 12  # samples that all processes learn in a step
_PEOPLE = 31
_EVALUATED = 7
_EPOCHS = 2
_RATE = 2.  # heatmaps are almost everywhere zero, gradients small
#: Within these losses are the same. The second is of bfloat16, in which each
#: process rounds its part of a gradient to 8 bits.
TOLERANCES = {False: 1e-5, True: 2**-8}
#: In which a job must end of which a process died.
SECONDS = 60


class Training(NamedTuple):
    """One of the trainings."""

    people: int
    accumulated: int = 1  # steps for each update
    mixed_precision: bool = False

    def __str__(self) -> str:
        last = self.people % _BATCH or _BATCH
        return (f'{self.people} people, {last} in the last batch' +
                f', gradients of {self.accumulated} batches' *
                (self.accumulated > 1) + ', --amp' * self.mixed_precision)


TRAININGS = (
    Training(25),
    Training(31),
    Training(31, 2),
    Training(31, 1, True),
    Training(25, 2, True),
)

#: How jobs are started, in the order in which they die and are resumed.
LAUNCHES = ('tools/dist_train.sh', 'tools/dist_train.sh on two machines',
            'tools/slurm_train.sh')


@dataclass
class Outcome:
    """What was found."""

    #: Largest difference of a loss from that of one process, in parts of it.
    losses: dict[Training, float] = field(default_factory=dict)
    #: People -> whether scores and predictions are all the same.
    evaluations: dict[int, bool] = field(default_factory=dict)
    #: Way of starting -> seconds from a process's death to the job's end.
    deaths: dict[str, float] = field(default_factory=dict)
    is_explained: bool = True  # in one line, with --resume
    differences: list[str] = field(default_factory=list)  # after all deaths
    seconds: float = 0.

    @property
    def is_good(self) -> bool:
        """Whether everything is as it must be."""
        return (all(difference <= TOLERANCES[training.mixed_precision]
                    for training, difference in self.losses.items())
                and all(self.evaluations.values())
                and all(seconds <= SECONDS
                        for seconds in self.deaths.values())
                and self.is_explained and not self.differences)


class DistributedCheck:
    """Trains, evaluates, kills and compares.

    Args:
        folder: for the data set and the trainings; should be empty.
        tools: where the scripts are.
    """

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder.resolve()
        self.tools = tools.resolve()
        self._people = self.folder / 'people'
        draw_people(self._people, _PEOPLE, _EVALUATED)

    def run(self, trainings: Sequence[Training] = TRAININGS) -> Outcome:
        """Check everything."""
        began = time.perf_counter()
        outcome = Outcome()
        for training in trainings:
            outcome.losses[training] = self.compare_losses(training)
        work_dir = self._work_dir(trainings[-1], 1)
        checkpoint = find_latest_checkpoint(str(work_dir))
        for people in (_EVALUATED, _EVALUATED - 2):
            outcome.evaluations[people] = self.is_evaluation_equal(
                str(checkpoint), people)
        self.kill_and_resume(outcome)
        outcome.seconds = time.perf_counter() - began
        return outcome

    def compare_losses(self, training: Training) -> float:
        """The largest difference from one process's losses, relative."""
        found = []
        for count in COUNTS:
            config = self._config(count)
            config.train_dataloader.dataset.indices = training.people
            config.optim_wrapper.accumulative_counts = training.accumulated
            # RMSprop divides gradients by their size: where there is only
            # rounding, it becomes a step as large as any.
            config.optim_wrapper.optimizer = dict(type='SGD', lr=_RATE)
            config.work_dir = str(self._work_dir(training, count))
            set_training(config, None, training.mixed_precision,
                                      False, False)
            _in_processes(count, _train, config)
            found.append(_losses(config.work_dir))
        batches = _EPOCHS * math.ceil(training.people / _BATCH)
        if any(losses.shape != (2, batches) for losses in found):
            raise RuntimeError(f'{training}: not {batches} losses')
        return max(
            float(abs(losses / found[0] - 1).max()) for losses in found[1:])

    def is_evaluation_equal(self, checkpoint: str, people: int) -> bool:
        """Whether scores and predictions do not depend on the processes."""
        found = []
        for count in COUNTS:
            config = self._config(count)
            loader, evaluator = config.test_dataloader, config.test_evaluator
            loader.dataset.indices = people
            loader.batch_size = 2
            config.test_evaluator = [
                evaluator,
                dict(type='BoxPCKMetric', prefix='box')
            ]
            folder = self.folder / f'evaluation_{people}_{count}'
            config.work_dir = str(folder)
            dump = folder / 'predictions.pkl'
            set_test_outputs(config, str(dump))
            _in_processes(count, _test, config, checkpoint)
            predictions = read_dump(dump)
            found.append(((folder / 'scores.json').read_text(), [
                (sample['img_path'], sample['pred_instances']['keypoints'],
                 sample['pred_instances']['keypoint_scores'])
                for sample in predictions
            ]))
        scores, predictions = found[0]
        return len(predictions) == people and all(
            other_scores == scores and len(others) == len(predictions) and all(
                one[0] == other[0] and np.array_equal(one[1], other[1])
                and np.array_equal(one[2], other[2])
                for one, other in zip(predictions, others))
            for other_scores, others in found[1:])

    def kill_and_resume(self, outcome: Outcome) -> None:
        """Two processes of which one dies, twice; then to the end."""
        epochs = 6
        config = self._config(2, epochs)
        config.work_dir = str(self.folder / 'undisturbed')
        path = self.folder / 'config.py'
        plain = copy.deepcopy(config)
        config.dump(path)
        set_training(plain, None, False, True, False)
        _in_processes(2, _train, plain)
        work_dir = self.folder / 'disturbed'
        for number, name in enumerate(LAUNCHES):
            jobs = self._launch(number, path, work_dir)
            if number < 2:
                outcome.deaths[name] = _kill_one(
                    jobs, work_dir / f'epoch_{2 * number + 2}.pth')
                text = ''.join(job.screen.read_text() for job in jobs)
                outcome.is_explained &= any(
                    'error: process ' in line and '--resume' in line
                    for line in text.splitlines())
                continue
            for job in jobs:
                if job.process.wait() != 0:
                    raise RuntimeError(f'{name} failed:\n{job.last_words()}')
        outcome.differences = differences(
            self.folder / 'undisturbed', work_dir)

    def _launch(self, number: int, config: Path,
                work_dir: Path) -> list['_Job']:
        """Start two processes in one of the ways of ``LAUNCHES``."""
        port = str(_free_port())
        arguments = ['--work-dir', str(work_dir), '--resume']
        if number < 2:
            machines = number + 1
            command = [
                str(self.tools / 'dist_train.sh'),
                str(config),
                str(2 // machines), *arguments
            ]
            return [
                _Job(
                    command, self.folder / f'screen_{number}_{rank}.txt',
                    dict(
                        NNODES=str(machines),
                        NODE_RANK=str(rank),
                        MASTER_ADDR='127.0.0.1',
                        PORT=port)) for rank in range(machines)
            ]
        stubs = self.folder / 'stubs'
        stubs.mkdir()
        for name, text in (('srun', _SRUN), ('scontrol', _SCONTROL)):
            (stubs / name).write_text(text)
            (stubs / name).chmod(0o755)
        return [
            _Job([
                str(self.tools / 'slurm_train.sh'), 'partition', 'name',
                str(config),
                str(work_dir), '--resume'
            ], self.folder / 'screen_2.txt',
                 dict(
                     GPUS='2',
                     MASTER_PORT=port,
                     SRUN_ARGS='--gres=none',
                     PATH=f'{stubs}:{_path()}'))
        ]

    def _config(self, processes: int, epochs: int = _EPOCHS) -> Config:
        config = small_config(self._people, epochs, _BATCH // processes)
        set_loader_processes(config, 0)
        config.sync_bn = 'torch'
        return config

    def _work_dir(self, training: Training, count: int) -> Path:
        name = '_'.join(str(int(value)) for value in training)
        return self.folder / f'training_{name}' / str(count)


#: What Slurm does, on one machine.
_SRUN = """#!/usr/bin/env bash
for argument; do
  case $argument in --ntasks=*) count=${argument#*=} ;; esac
done
while [[ $1 == --* ]]; do shift; done
export SLURM_NTASKS=$count SLURM_NODELIST=here
processes=()
for ((number = 0; number < count; number++)); do
  SLURM_PROCID=$number SLURM_LOCALID=$number "$@" &
  processes+=($!)
done
status=0
for process in "${processes[@]}"; do wait "$process" || status=1; done
exit $status
"""
_SCONTROL = """#!/bin/sh
[ "$*" = "show hostnames here" ] && echo 127.0.0.1
"""


class _Job:
    """A script that runs."""

    def __init__(self, command: list[str], screen: Path,
                 variables: dict[str, str]) -> None:
        self.screen = screen
        environment = dict(os.environ, OMP_NUM_THREADS='1', PATH=_path())
        environment.update(variables)
        with screen.open('w') as file:
            self.process = subprocess.Popen(['bash', *command],
                                            env=environment,
                                            stdout=file,
                                            stderr=file)

    def last_words(self) -> str:
        """The end of what it printed."""
        return '\n'.join(self.screen.read_text().splitlines()[-12:])


def _path() -> str:
    """Where the scripts find this Python."""
    return f'{Path(sys.executable).parent}:{os.environ["PATH"]}'


def _kill_one(jobs: Sequence[_Job], checkpoint: Path) -> float:
    """Kill a process when a checkpoint is there.

    Returns:
        Seconds until all jobs had ended.
    """
    while not checkpoint.exists():
        time.sleep(0.01)
        for job in jobs:
            if job.process.poll() is not None:
                raise RuntimeError(
                    f'a job ended too early:\n{job.last_words()}')
    os.kill(max(_children(jobs[-1].process.pid)), signal.SIGKILL)
    began = time.perf_counter()
    for job in jobs:
        if job.process.wait() == 0:
            raise RuntimeError('a job of which a process died succeeded')
    return time.perf_counter() - began


def _children(parent: int) -> list[int]:
    found = []
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rpartition(')')[2].split()
        except OSError:
            continue  # has just ended
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


def _in_processes(count: int, function: Any, config: Config,
                  *arguments: Any) -> None:
    """Call a function in several connected processes, and wait for them."""
    work_dir = Path(config.work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    _ = config.pretty_text  # laid out here once, not in each process
    context = multiprocessing.get_context('fork')
    port = str(_free_port())
    processes = [
        context.Process(
            target=_enter,
            args=(rank, count, port, work_dir / f'screen_{rank}.txt',
                  function, config, *arguments)) for rank in range(count)
    ]
    for process in processes:
        process.start()
    for rank, process in enumerate(processes):
        process.join()
        if process.exitcode != 0:
            text = (work_dir / f'screen_{rank}.txt').read_text()
            raise RuntimeError(f'process {rank} of {count} failed:\n' +
                               '\n'.join(text.splitlines()[-12:]))


def _enter(rank: int, count: int, port: str, screen: Path, function: Any,
           config: Config, *arguments: Any) -> None:
    with screen.open('w') as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(screen.parent)  # mmengine leaves a folder behind
    torch.set_num_threads(1)
    launcher = 'none'
    if count > 1:
        launcher = 'pytorch'
        os.environ.update(
            RANK=str(rank),
            WORLD_SIZE=str(count),
            LOCAL_RANK=str(rank),
            MASTER_ADDR='127.0.0.1',
            MASTER_PORT=port)
    runner = build_runner(config, launcher)
    function(runner, *arguments)


def _train(runner: Any) -> None:
    build_loops(runner, 'train', 'val')
    with connected_processes(runner.work_dir):
        runner.train()


def _test(runner: Any, checkpoint: str) -> None:
    load_weights(runner.model, read_checkpoint(checkpoint),
                              checkpoint)
    build_loops(runner, 'test')
    with connected_processes():
        scores = runner.test()
    if runner.rank == 0:
        write_json('scores.json', scores)


def _losses(work_dir: str) -> np.ndarray:
    """(2, iterations): the sum and the first stack's, as they were logged."""
    path: Optional[str] = find_latest_checkpoint(work_dir)
    histories = read_checkpoint(str(path))['message_hub']['log_scalars']
    return np.stack([
        histories[f'train/{name}'].data[0]
        for name in ('loss', 'loss_stack_1')
    ])


def figures(outcome: Outcome) -> Iterator[str]:
    """The lines that the tool prints."""
    yield (f'losses of 2 and 3 processes against 1, {_BATCH} samples in a '
           'step, largest difference in parts of the loss:')
    for training, difference in outcome.losses.items():
        limit = TOLERANCES[training.mixed_precision]
        verdict = 'yes' if difference <= limit else 'NO'
        yield (f'{training}: {difference:.1g}, at most {limit:.1g}: '
               f'{verdict}')
    for people, is_equal in outcome.evaluations.items():
        yield (f'scores and predictions of {people} people equal to the bit: '
               f'{"yes" if is_equal else "NO"}')
    for name, seconds in outcome.deaths.items():
        yield (f'{name}, a process killed, seconds until all had ended: '
               f'{seconds:.1f}')
    yield ('a line says what happened and how to go on: '
           f'{"yes" if outcome.is_explained else "NO"}')
    yield (f'resumed by {LAUNCHES[1]} and by {LAUNCHES[2]}, bit-equal to an '
           f'undisturbed training: {"NO" if outcome.differences else "yes"}')
    yield from outcome.differences
    yield f'{outcome.seconds:.0f} s in all'
