"""SIGTERM as a request that all processes of a training meet together."""
import functools
import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Callable, Optional

import torch
from mmengine.dist import get_comm_device, is_distributed
from torch.utils.data import DataLoader

from .delayed_flags import DelayedFlags

#: Status of a process that ends after SIGTERM, which is what a shell reports
#: of one that SIGTERM killed, 128 + 15. So scripts can tell it from a finished
#: training, and clusters from a failed one.
EXIT_STATUS = 128 + signal.SIGTERM

# A cluster and torchrun may both send one, moments apart.
_SECONDS_OF_ONE_REQUEST = 5.0


class StopRequest:
    """Whether SIGTERM came, to this process or to another of the training.

    A second one more than five seconds after the first ends the process at
    once, as SIGTERM does without this class.
    """

    def __init__(self) -> None:
        self._time: Optional[float] = None
        self._process: Optional[int] = None
        self._previous: Any = None
        self._flags = DelayedFlags()

    def listen(self) -> None:
        """Receive SIGTERM from now on, in the main thread only."""
        if (self._process is None
                and threading.current_thread() is threading.main_thread()):
            self._time = None
            self._process = os.getpid()
            self._previous = signal.signal(signal.SIGTERM, self._receive)

    def ignore(self) -> None:
        """Leave SIGTERM to whoever had it before."""
        if self._process is not None:
            signal.signal(signal.SIGTERM, self._previous or signal.SIG_DFL)
            self._process = None

    def is_agreed(self) -> bool:
        """Whether to stop now; the same answer in all processes.

        Each process must ask equally often. On one process, and on
        processors, the answer is that of the moment. On several GPUs it comes
        four questions after the first process was asked to stop, because no
        process waits for its device.
        """
        if not is_distributed():
            return self._time is not None
        flag = torch.full((1, ),
                          float(self._time is not None),
                          device=get_comm_device())
        torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
        self._flags.add(flag)
        answers = [answer for answer, _ in self._flags.read()]
        return any(answers)

    def _receive(self, number: int, frame: Optional[FrameType]) -> None:
        now = time.monotonic()
        if os.getpid() != self._process:
            # A process that the training forked, and that got the handler.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._time is None:
            self._time = now
        elif now - self._time > _SECONDS_OF_ONE_REQUEST:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)


def shield_workers(loader: DataLoader) -> None:
    """Let a loader's processes outlive a SIGTERM that is not their parent's.

    Clusters send it to all processes, and without its loaders a training could
    not end its iteration. They end with it. Where the system cannot tell who
    sent a signal, as macOS, they stay as they are.

    Args:
        loader: has not started its processes yet.
    """
    initialize = loader.worker_init_fn
    if (hasattr(signal, 'sigwaitinfo')
            and getattr(initialize, 'func', None) is not _initialize_shielded):
        loader.worker_init_fn = functools.partial(_initialize_shielded,
                                                  initialize)


def _initialize_shielded(initialize: Optional[Callable[[int], None]],
                         number: int) -> None:
    # No handler sees the signal, not torch's either; a thread waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(
        target=_obey, args=(os.getppid(), ), daemon=True).start()
    if initialize is not None:
        initialize(number)


def _obey(parent: int) -> None:
    """End this process when the parent says so, with torch's status."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        continue
    os._exit(0)
