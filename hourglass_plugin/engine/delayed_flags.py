"""Yes or no from the device, without waiting for it."""
from collections import deque
from collections.abc import Iterator
from typing import Any, Optional

import torch
from torch import Tensor


class DelayedFlags:
    """Flags of a device that are read some iterations later.

    Reading a number from a GPU waits until the GPU has computed everything
    before it. Here a flag is copied while the GPU goes on, and read when
    ``delay`` further ones have been added: by then it has arrived, unless the
    host has prepared more than that, and then there is time to wait. Flags of
    the processor are read at once.

    Args:
        delay: how many flags of a GPU wait.
    """

    def __init__(self, delay: int = 4) -> None:
        self._delay = delay
        self._waiting: deque[tuple[Tensor, Optional[Any], Any]] = deque()

    def add(self, flag: Tensor, meaning: Any = None) -> None:
        """Add a flag.

        Args:
            flag: with one element; not zero is true.
            meaning: what is returned with it.
        """
        arrival = None
        if flag.is_cuda:
            flag = flag.detach().to('cpu', non_blocking=True)  # pinned memory
            arrival = torch.cuda.Event()
            arrival.record()
        self._waiting.append((flag, arrival, meaning))

    def read(self, every: bool = False) -> Iterator[tuple[bool, Any]]:
        """Take out the flags that have waited long enough, oldest first.

        Args:
            every: take all, and wait for them.

        Yields:
            Flag and meaning.
        """
        while self._waiting:
            flag, arrival, meaning = self._waiting[0]
            if arrival is not None:
                if not every and len(self._waiting) <= self._delay:
                    return
                arrival.synchronize()
            self._waiting.popleft()
            yield bool(flag), meaning
