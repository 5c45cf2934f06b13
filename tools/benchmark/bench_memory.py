"""Training memory with and without activation checkpointing."""
import multiprocessing

import torch
from bench_baselines import our_config
from bench_machine import peak_memory
from bench_report import Table, timed_rows
from bench_timing import measure
from mmengine.config import Config

from hourglass_plugin.engine.malloc_hook import set_freed_memory

#: Name -> with_cp.
VARIANTS = {'keeping activations': False, 'with_cp=True': True}


def run(config: Config,
        device: str,
        rounds: int,
        stacks: int = 8,
        batch_size: int = 4) -> tuple[list[Table], list[str]]:
    """Measure memory and time of a training step, each in a fresh process.

    Args:
        config: of our network; its head and optimizer are used.
        device: of the network.
        rounds: timed turns of each.
        stacks: size of the network.
        batch_size: images of a step.

    Returns:
        Tables, and notes on what they mean.
    """
    config = our_config(config, stacks)
    timings: dict[str, list[float]] = {}
    details: dict[str, dict] = {}
    for name, with_cp in VARIANTS.items():
        config.model.backbone.with_cp = with_cp
        with multiprocessing.get_context('spawn').Pool(1) as process:
            memory, timings[name] = process.apply(
                _measure_step, (config, device, batch_size, rounds,
                                torch.get_num_threads()))
        details[name] = dict(peak_memory=memory)
    kept, recomputed = (details[name]['peak_memory'] for name in VARIANTS)
    if recomputed:
        details['with_cp=True']['memory_ratio'] = kept / recomputed
    rows = timed_rows(timings, 'keeping activations', batch_size, details)
    rows[1]['time_ratio'] = rows[1]['median'] / rows[0]['median']
    title = f'{stacks} stack{"s" * (stacks > 1)}, batch {batch_size}'
    return [Table(f'Memory of training, {title}', rows)], [
        'Memory is that of a step beyond parameters and optimizer. Its ratio '
        'is how many times less recomputing needs.'
    ]


def _measure_step(config: Config, device: str, batch_size: int, rounds: int,
                  threads: int) -> tuple[int | None, list[float]]:
    """Peak memory in bytes, and seconds of each round."""
    from bench_training import our_step

    # Else most of the saved memory would stay in glibc's pieces.
    set_freed_memory('return')
    torch.set_num_threads(threads)
    step = our_step(config, device, batch_size, 'tuned')
    memory = peak_memory(step, device)
    return memory, measure({'step': step}, rounds, device, warmup=1)['step']
