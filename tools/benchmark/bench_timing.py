"""Timing by turns: a disturbance of the machine hits all alike."""
import math
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

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


def measure(candidates: Mapping[str, Callable[[], Any]],
            rounds: int,
            device: str = 'cpu',
            seconds: float = 0.1,
            warmup: int = 2,
            title: str = '',
            keeping: Container[str] | None = None
            ) -> dict[str, list[float]]:
    """Time candidates by turns, round by round.

    Args:
        candidates: by name.
        rounds: turns of each.
        device: is synchronised before and after a turn.
        seconds: length of a turn, about; a quick candidate is called again.
        warmup: calls ahead of the first round.
        title: of the progress bar on stderr.
        keeping: names of the candidates for which freed memory stays in the
            process, as in our configs; None leaves it as it is. After a
            change a candidate is called once before its turn.

    Returns:
        Name -> seconds per call, one number a round.
    """
    calls = {}
    for name, candidate in tqdm(candidates.items(), f'{title}, warming up'):
        for _ in range(warmup):
            duration = _time(candidate, 1, device)
        calls[name] = max(1, math.ceil(seconds / duration))
    measured: dict[str, list[float]] = {name: [] for name in candidates}
    is_kept = None
    for _ in tqdm(range(rounds), title, unit='round'):
        for name, candidate in candidates.items():
            if keeping is not None and (name in keeping) != is_kept:
                is_kept = name in keeping
                set_freed_memory('keep' if is_kept else 'default')
                candidate()
            measured[name].append(_time(candidate, calls[name], device))
    return measured


def _time(candidate: Callable[[], Any], calls: int, device: str) -> float:
    """Seconds per call; the device has finished before and after."""
    synchronize(device)
    start = time.perf_counter()
    for _ in range(calls):
        candidate()
    synchronize(device)
    # A clock that did not move would otherwise divide by zero later.
    return max(time.perf_counter() - start, 1e-9) / calls


def synchronize(device: str) -> None:
    """Wait for a GPU."""
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize(device)
