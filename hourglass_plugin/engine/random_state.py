"""The state of all random generators of a process."""
import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Return the state of Python's, NumPy's and torch's generators.

    Numbers, lists and tensors only, to be read with ``weights_only=True``.
    """
    numpy: Any = np.random.get_state()
    name, keys, *rest = numpy
    state = dict(
        python=random.getstate(),
        numpy=(name, keys.tolist(), *rest),
        torch=torch.get_rng_state())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Restore what :func:`random_state` returned."""
    random.setstate(state['python'])
    np.random.set_state(state['numpy'])
    # A runner loads its checkpoints to the GPU.
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
