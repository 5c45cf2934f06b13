"""Training memory with and without activation checkpointing."""
import multiprocessing
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Callable

import torch
from baselines import our_config
from machine import peak_memory
from mmengine.config import Config
from report import Table, timed_rows
from timing import measure, synchronize

from hourglass_plugin.engine import set_freed_memory

#: Name -> with_cp.
VARIANTS = {'keeping activations': False, 'with_cp=True': True}


def run(config: Config,
        device: str,
        rounds: int,
        stacks: int = 8,
        batch_size: int = 4) -> tuple[list[Table], list[str]]:
    """Normalizer memory and time of a training step, each in a fresh process.

    The two processes take turns.

    Args:
        config: of our network; its head and optimiser are used.
        device: to run on.
        rounds: turns of each.
        stacks: size of the network.
        batch_size: images of a step.

    Returns:
        Tables, and notes on what they mean.
    """
    config = our_config(config, stacks)
    calls, memory = {}, {}
    with ExitStack() as processes:
        for name, with_cp in VARIANTS.items():
            config.model.backbone.with_cp = with_cp
            calls[name], memory[name] = processes.enter_context(
                _step_in_a_process(config, device, batch_size))
        title = f'{stacks} stack{"s" * (stacks > 1)}, batch {batch_size}'
        # Measuring memory has warmed them up.
        timings = measure(calls, rounds, warmup=1, title=title)
    kept, recomputed = VARIANTS
    details: dict[str, dict] = {
        name: dict(peak_memory=memory[name])
        for name in VARIANTS
    }
    if None not in memory.values():
        details[recomputed]['memory_ratio'] = memory[kept] / memory[recomputed]
    rows = timed_rows(timings, kept, batch_size, details)
    rows[1]['time_ratio'] = rows[1]['median'] / rows[0]['median']
    return [Table(f'Memory of training, {title}', rows)], [
        'Memory is what a step holds beyond weights and optimiser. Its ratio '
        'is how many times less recomputing needs.'
    ]


@contextmanager
def _step_in_a_process(config: Config, device: str, batch_size: int
                       ) -> Iterator[tuple[Callable[[], None], int]]:
    """A call that makes a step in another process, and the step's memory.

    Raises:
        ChildProcessError: if the process ends, having said why on stderr.
    """
    context = multiprocessing.get_context('spawn')
    here, there = context.Pipe()
    process = context.Process(
        target=_serve,
        args=(there, config, device, torch.get_num_threads(), batch_size),
        daemon=True)
    process.start()
    there.close()

    def receive() -> int:
        try:
            return here.recv()
        except EOFError:
            raise ChildProcessError(
                'the process that trains has ended; it may have run out of '
                'memory: try a smaller --batch-size') from None

    def step() -> None:
        here.send(True)
        receive()

    try:
        yield step, receive()
    finally:
        here.close()
        process.join()


def _serve(connection: Connection, config: Config, device: str, threads: int,
           batch_size: int) -> None:
    """Send a step's memory, then make a step for each message."""
    from training import our_step

    # Else most of what recomputing saves would stay in glibc's pieces.
    set_freed_memory('return')
    torch.set_num_threads(threads)
    step = our_step(config, device, batch_size, 'tuned')
    connection.send(peak_memory(step, device))
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        step()
        synchronize(device)
        connection.send(None)
