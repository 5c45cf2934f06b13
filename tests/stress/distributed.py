#!/usr/bin/env python
"""Evaluate and train in several processes, kill one, resume.

Without GPUs. Scores and predictions of a small network are compared for 1, 2
and 3 processes. Two processes train, one is killed, the training is resumed:
started by dist_train.sh on one machine, on two, and by Slurm. Exit status 1 if
something differs from an undisturbed training. For Linux.
"""
import copy
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from resuming import differences
from small_training import run_script, small_config

from prediction_files import read_dump  # isort: skip, by small_training
from several_processes import in_processes  # isort: skip
from small_project import write_project  # isort: skip
from tool_process import TOOLS, free_port  # isort: skip

from hourglass_plugin.cli import runner as runners
from hourglass_plugin.cli.test import set_test_outputs
from hourglass_plugin.cli.train import set_training

#: Ways to start a job; it is killed in each but the last.
LAUNCHES = ['dist_train.sh', 'dist_train.sh on two machines',
            'slurm_train.sh']
#: Limit for the end of a job after one of its processes died.
SECONDS = 60
_BATCH_SIZE = 3

#: Slurm on one machine.
_SRUN = """#!/usr/bin/env bash
for argument; do
  case $argument in --ntasks=*) count=${argument#*=} ;; esac
done
while [[ $1 == --* ]]; do shift; done
export SLURM_NTASKS=$count
for ((number = 0; number < count; number++)); do
  SLURM_PROCID=$number SLURM_LOCALID=$number "$@" &
  processes+=($!)
done
for process in "${processes[@]}"; do wait "$process" || status=1; done
exit ${status:-0}
"""


def is_evaluation_equal(folder, samples, counts):
    """Return whether so many processes predict and score the same."""
    found = []
    for count in counts:
        config = small_config(folder / 'people', 1, 2)
        config.test_dataloader.dataset.indices = samples
        work_dir = folder / f'evaluation_{samples}_{count}'
        config.work_dir = str(work_dir)
        config.log_level = 'WARNING'
        set_test_outputs(config, str(work_dir / 'predictions.pkl'))
        scores = in_processes(work_dir, count, _test, config)
        found.append((scores[0], [
            (sample['img_path'],
             *(sample['pred_instances'][name].tolist()
               for name in ('keypoints', 'keypoint_scores')))
            for sample in read_dump(work_dir / 'predictions.pkl')]))
    return len(found[0][1]) == samples and all(x == found[0] for x in found)


def _test(rank, config):
    # Random weights, the same in each process.
    return runners.build_runner(config, 'pytorch').test()


def _train(rank, config):
    set_training(config)
    runners.build_runner(config, 'pytorch').train()


def kill_and_resume(folder, launches):
    """Train in two processes and kill one, in each of the ways but the last.

    Returns:
        What was checked, and whether it is as it must be.
    """
    config = small_config(folder / 'people', len(launches) + 1, _BATCH_SIZE)
    path = folder / 'config.py'
    config.dump(path)
    plain = copy.deepcopy(config)
    plain.work_dir = str(folder / 'undisturbed')
    plain.log_level = 'WARNING'
    in_processes(folder / 'meeting', 2, _train, plain)
    work_dir = folder / 'disturbed'
    report = {}
    for number, name in enumerate(launches[:-1], start=1):
        jobs = _launch(name, folder, path, work_dir)
        seconds = _kill_one(jobs, work_dir / f'epoch_{number}.pth')
        report[f'{name}, a process killed, all ended in {seconds:.1f} s'] = (
            seconds <= SECONDS)
        report[f'{name}, explained in a line'] = any(
            'error: process ' in line and '--resume' in line
            for _, screen in jobs
            for line in screen.read_text().splitlines())
    for job, screen in _launch(launches[-1], folder, path, work_dir):
        if job.wait() != 0:
            raise RuntimeError(screen.read_text())
    found = differences(folder / 'undisturbed', work_dir)
    print(*found, sep='\n', end='\n' if found else '')
    report['resumed, bit-equal to an undisturbed training'] = not found
    return report


def _launch(name, folder, config, work_dir):
    """Start two processes; return a job for each machine, and its output."""
    port = str(free_port())
    script, *machines = name.split(' on ')
    srun = folder / 'bin' / 'srun'
    srun.parent.mkdir(exist_ok=True)
    srun.write_text(_SRUN)
    srun.chmod(0o755)
    variables = dict(OMP_NUM_THREADS='1', PATH=os.pathsep.join([
        str(srun.parent), str(Path(sys.executable).parent),
        os.environ['PATH']]))
    if script == 'slurm_train.sh':
        arguments = ['partition', 'job', config, work_dir]
        variables.update(GPUS='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=port,
                         SRUN_ARGS='--gres=none')
    else:
        arguments = [config, '1' if machines else '2', '--work-dir', work_dir]
        variables.update(NNODES='2' if machines else '1', PORT=port)
    jobs = []
    for rank in range(2 if machines else 1):
        screen = folder / f'{name} {rank}.txt'
        with screen.open('w') as file:
            jobs.append((subprocess.Popen(
                ['bash', TOOLS / script, *arguments, '--resume'],
                env={**os.environ, **variables, 'NODE_RANK': str(rank)},
                stdout=file, stderr=file), screen))
    return jobs


def _kill_one(jobs, checkpoint):
    """Kill a process when a checkpoint is there; seconds until all ended."""
    while not checkpoint.exists():
        time.sleep(0.01)
        if any(job.poll() is not None for job, _ in jobs):
            raise RuntimeError(f'ended too early:\n{jobs[0][1].read_text()}')
    # Two processes that torchrun, the last job's process, has started.
    children = Path(f'/proc/{jobs[-1][0].pid}/task/{jobs[-1][0].pid}/children')
    os.kill(max(map(int, children.read_text().split())), signal.SIGKILL)
    began = time.perf_counter()
    if any(job.wait() == 0 for job, _ in jobs):
        raise RuntimeError(f'did not notice:\n{jobs[0][1].read_text()}')
    return time.perf_counter() - began


def check(folder, samples, processes, launches):
    """Evaluate, train, kill; return what was checked, and if it is right."""
    write_project(folder / 'people', 13, max(samples))
    report = {
        f'scores and predictions of {count} samples bit-equal':
        is_evaluation_equal(folder, count, processes) for count in samples}
    return {**report, **kill_and_resume(folder, launches)}


if __name__ == '__main__':
    # Neither 2 nor 3 divides 7 and 5.
    run_script(__doc__, check, samples=[7, 5], processes=[1, 2, 3],
               launches=LAUNCHES)
