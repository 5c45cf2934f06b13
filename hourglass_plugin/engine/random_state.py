"""The state of all random generators of a process, as tensors."""
import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """State of Python's, NumPy's and torch's generators.

    Returns:
        Numbers and tensors only, so that checkpoints with it are read with
        ``weights_only=True``.
    """
    version, words, gauss = random.getstate()
    numpy: Any = np.random.get_state()
    kind, keys, position, has_gauss, cached = numpy
    state: dict[str, Any] = dict(
        python=dict(version=version, words=torch.tensor(words), gauss=gauss),
        numpy=dict(
            kind=kind,
            keys=torch.from_numpy(keys.astype(np.int64)),
            position=int(position),
            has_gauss=int(has_gauss),
            cached=float(cached)),
        torch=torch.get_rng_state())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Go on with the random numbers of :func:`random_state`."""
    python, numpy = state['python'], state['numpy']
    random.setstate((python['version'], tuple(python['words'].tolist()),
                     python['gauss']))
    np.random.set_state(
        (numpy['kind'], numpy['keys'].cpu().numpy().astype(np.uint32),
         numpy['position'], numpy['has_gauss'], numpy['cached']))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
