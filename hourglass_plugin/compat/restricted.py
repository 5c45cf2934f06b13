"""Read checkpoints without running code from the file.

A checkpoint is a pickle, and unpickling calls what the file names. With torch
>= 2.6 ``torch.load`` refuses all but tensors by default, so that mmengine 0.10
cannot resume its own checkpoints; with older torch mmengine loads anything,
and onedl-mmengine does so as its second try. :func:`load_restricted` admits
tensors and :func:`mmengine_globals`, on every version, and changes no library.
"""
import codecs
import os
import pickle
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner.checkpoint import CheckpointLoader

from .versions import torch_is_at_least

#: mmengine's loader, whatever takes its place later.
_mmengine_load = CheckpointLoader.load_checkpoint.__func__

# Before torch 2.6 weights_only cannot be given more functions for one call.
_HAS_SAFE_GLOBALS = torch_is_at_least(2, 6)

# The functions of classes that mmengine's checkpoints name.
_MMENGINE_ATTRIBUTES = {
    HistoryBuffer: ('mean', 'min', 'max', 'current'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear')}


def load_restricted(filename: str, map_location: Any = None,
                    logger: Any = 'current') -> dict:
    """Load a checkpoint of tensors and mmengine's own classes.

    Args:
        filename: file, or an address that mmengine downloads.
        map_location: device of the tensors, as in ``torch.load``.
        logger: where mmengine's line about the file goes.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it contains anything else, or is not a checkpoint.
    """
    try:
        # torch warns of files that are refused a moment later.
        with _weights_only(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            content = _mmengine_load(CheckpointLoader, filename, map_location,
                                     logger)
    except OSError:
        raise
    except Exception as error:  # torch has a dozen for damaged files
        if foreign := re.search(r'GLOBAL ([\w.]+)', str(error)):
            reason = (
                f'contains {foreign[1]}, which could run code. If you trust '
                'its source, load it yourself with weights_only=False and '
                "torch.save({'state_dict': ...}, new_file)")
        elif os.path.isfile(os.path.expanduser(filename)):
            first = re.split(r'\. |\n', str(error))[0]
            reason = (f'cannot be loaded ({type(error).__name__}: {first}): '
                      'if it is damaged or no checkpoint, give another')
        else:
            raise  # an unknown name, for example
        raise ValueError(f'{filename} {reason}') from error
    if not isinstance(content, dict):
        raise ValueError(f'{filename} contains a {type(content).__name__}: '
                         'give a checkpoint, which is a dict')
    return content


def mmengine_globals() -> dict[str, Any]:
    """Return the objects besides tensors in mmengine's checkpoints, by name.

    The message hub's ``HistoryBuffer``s, arrays and scalars of numbers
    (``bytes`` if one is empty), and of schedulers the milestones and
    OneCycleLR's two curves. NumPy 1 and 2 pickle the same two functions under
    different names; each reads the other's files here.
    """
    found = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler':
        OneCycleParamScheduler,
        'builtins.getattr': _mmengine_attribute,
        'builtins.bytes': bytes,
        'collections.Counter': Counter,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype}
    array = np.zeros(1)
    functions: list[Any] = [array.__reduce__()[0], array[0].__reduce__()[0]]
    for function in functions:
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            found[f'{module}.{function.__name__}'] = function
    for code in '?bBhHiIlLqQefd':
        number = type(np.dtype(code))
        found[f'{number.__module__}.{number.__name__}'] = number
    return found


def _mmengine_attribute(owner: Any, name: str) -> Callable:
    """Allow the few uses that mmengine's pickles make of ``getattr``.

    A free ``getattr`` would lead from any class to all that Python can do.
    """
    if any(owner is known and name in names
           for known, names in _MMENGINE_ATTRIBUTES.items()):
        return getattr(owner, name)
    raise pickle.UnpicklingError('GLOBAL builtins.getattr')


@contextmanager
def _weights_only() -> Iterator[None]:
    """Make every ``torch.load`` inside act as with ``weights_only=True``.

    By torch's own switch, which a ``weights_only=False`` does not get around.
    """
    switches = dict(TORCH_FORCE_WEIGHTS_ONLY_LOAD='1',
                    TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD='0')
    saved = {name: os.environ.get(name) for name in switches}
    os.environ.update(switches)
    try:
        with _allowed_globals():
            yield
    finally:
        for name, value in saved.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


@contextmanager
def _allowed_globals() -> Iterator[None]:
    """Let ``weights_only`` unpickle :func:`mmengine_globals`, too."""
    serialization: Any = torch.serialization
    if _HAS_SAFE_GLOBALS:
        allowed = [(value, name) for name, value in mmengine_globals().items()]
        with serialization.safe_globals(allowed):
            yield
        return
    unpickler = serialization._weights_only_unpickler
    serialization._weights_only_unpickler = RestrictedPickle
    try:
        yield
    finally:
        serialization._weights_only_unpickler = unpickler


class RestrictedPickle:
    """Replaces torch's restricted unpickler; may go with torch 2.5."""

    class Unpickler(pickle.Unpickler):
        """Looks names up in the list of allowed ones, imports nothing."""

        def find_class(self, module: str, name: str) -> Any:
            """Return the allowed object, or raise an UnpicklingError."""
            if module == '__builtin__':  # its name in pickles of protocol 2
                module = 'builtins'
            full_name = f'{module}.{name}'
            allowed = {
                **torch._weights_only_unpickler._get_allowed_globals(),
                **mmengine_globals(), '_codecs.encode': codecs.encode}
            if full_name not in allowed:
                raise pickle.UnpicklingError(f'GLOBAL {full_name}')
            return allowed[full_name]

    @classmethod
    def load(cls, file: BinaryIO, **options: Any) -> Any:
        """Unpickle one object."""
        return cls.Unpickler(file, **options).load()
