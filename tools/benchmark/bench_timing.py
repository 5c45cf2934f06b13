"""Timing by turns: whatever disturbs the machine hits all baselines alike."""
import math
import time
from collections.abc import Container, Mapping, Sequence
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import torch
from tqdm import tqdm

from hourglass_plugin.engine import set_freed_memory


class Timing(NamedTuple):
    """Median and quartiles of the rounds, in seconds."""

    median: float
    low: float
    high: float


def summarize(seconds: Sequence[float]) -> Timing:
    """Median and quartiles, interpolated linearly between the rounds.

    Raises:
        ValueError: if there is no round.
    """
    if not len(seconds):
        raise ValueError('there is no round to summarise')
    low, median, high = np.percentile(seconds, (25, 50, 75))
    return Timing(float(median), float(low), float(high))


def measure(baselines: Mapping[str, Callable[[], Any]],
            rounds: int,
            device: str = 'cpu',
            seconds: float = 0.1,
            warmup: int = 2,
            title: str = '',
            keeping: Optional[Container[str]] = None
            ) -> dict[str, list[float]]:
    """Time baselines that take turns, round by round.

    Args:
        baselines: name -> what is timed.
        rounds: how often each has its turn.
        device: whose work is waited for, before and after a turn.
        seconds: a turn repeats the call until it takes about this long.
        warmup: calls ahead of the first round; the last one tells how many
            fill a turn.
        title: of the progress bar on stderr.
        keeping: names of the baselines for which freed memory is kept in
            the process, as our configs have it; for the others it is not.
            ``None`` leaves it as it is. A contender that starts after a
            change is called once before its turn.

    Returns:
        Name -> seconds per call, one number a round.
    """
    calls = {}
    for name, contender in tqdm(baselines.items(), f'{title}, warming up'):
        for _ in range(warmup):
            duration = _time(contender, 1, device)
        calls[name] = max(1, math.ceil(seconds / duration))
    measured: dict[str, list[float]] = {name: [] for name in baselines}
    is_kept = None
    for _ in tqdm(range(rounds), title, unit='round'):
        for name, contender in baselines.items():
            if keeping is not None and (name in keeping) != is_kept:
                is_kept = name in keeping
                set_freed_memory('keep' if is_kept else 'default')
                contender()
            measured[name].append(_time(contender, calls[name], device))
    return measured


def _time(contender: Callable[[], Any], calls: int, device: str) -> float:
    """Seconds per call; the device has finished before and after."""
    synchronize(device)
    start = time.perf_counter()
    for _ in range(calls):
        contender()
    synchronize(device)
    # A clock that did not move would otherwise divide by zero later.
    return max(time.perf_counter() - start, 1e-9) / calls


def synchronize(device: str) -> None:
    """Wait until a GPU has done what it was given."""
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize(device)
