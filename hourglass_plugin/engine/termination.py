"""SIGTERM as a request to stop, on which all processes agree."""
import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce
from torch.utils.data import DataLoader

#: Exit status after SIGTERM, as a shell reports it of a process that the
#: signal killed; distinct from success (0) and failure (1).
EXIT_STATUS = 128 + signal.SIGTERM

# A cluster and torchrun may both send one, moments apart.
_SECONDS_OF_ONE_REQUEST = 5.0


class StopRequest:
    """A request to stop, received by SIGTERM in any process of a training.

    Handles SIGTERM as a context manager in the main thread. A second SIGTERM
    more than five seconds after the first ends the process at once.
    """

    _time: float | None = None
    _process: int | None = None
    _previous: Any = None

    def __enter__(self) -> 'StopRequest':
        if threading.current_thread() is threading.main_thread():
            self._time, self._process = None, os.getpid()
            self._previous = signal.signal(signal.SIGTERM, self._receive)
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            signal.signal(signal.SIGTERM, self._previous or signal.SIG_DFL)

    def is_agreed(self) -> bool:
        """Return whether to stop, the same in all processes.

        Every process must call it equally often.
        """
        is_received = torch.tensor(float(self._time is not None))
        all_reduce(is_received, 'max')  # does nothing in a single process
        return bool(is_received)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        is_forked = os.getpid() != self._process  # and inherited the handler
        if is_forked or (self._time is not None
                         and now - self._time > _SECONDS_OF_ONE_REQUEST):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._time is None:
            self._time = now


def shield_workers(loader: DataLoader) -> None:
    """Let a data loader's workers ignore SIGTERM unless their parent sends it.

    Clusters send it to all processes, and an iteration cannot end without its
    workers. Not on macOS, which does not tell who sent a signal.

    Args:
        loader: has not started its workers yet.
    """
    if hasattr(signal, 'sigwaitinfo'):
        loader.worker_init_fn = functools.partial(_initialize_shielded,
                                                  loader.worker_init_fn)


def _initialize_shielded(initialize: Callable[[int], None] | None,
                         worker: int) -> None:
    # A blocked signal reaches no handler, but a thread that waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(
        target=_obey, args=(os.getppid(), ), daemon=True).start()
    if initialize is not None:
        initialize(worker)


def _obey(parent: int) -> None:
    """Exit as torch's workers do when the parent sends SIGTERM."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        continue
    os._exit(0)
