"""Load checkpoints through mmengine without running code from the file.

Importing this module changes mmengine's loader for the process. A config asks
for it with ``custom_imports = dict(imports=['hourglass_plugin',
'hourglass_plugin.compat.safe_checkpoints'])``; the command line does so by
itself.
"""
import codecs
import os
import pickle
import re
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Callable, Optional

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

# Before torch 2.4 a program cannot choose what weights_only may unpickle.
_TORCH_HAS_ALLOW_LIST = hasattr(torch.serialization, 'add_safe_globals')


def read_checkpoints_safely() -> None:
    """Make mmengine load its own checkpoints, and nothing that runs code.

    A checkpoint is a pickle, and unpickling calls what the file names. With
    torch >= 2.6 ``torch.load`` refuses all but tensors by default, which
    stops mmengine 0.10 from resuming its own checkpoints; with older torch
    mmengine loads anything, and so does onedl-mmengine as its second try.
    Here every load through mmengine (``Runner``, ``init_model``, pretrained
    weights) is restricted to tensors and :func:`mmengine_globals`, on every
    version. May go when mmengine does so itself.
    """
    load = CheckpointLoader.load_checkpoint.__func__
    if load.__module__ == __name__:
        return
    if _TORCH_HAS_ALLOW_LIST:
        torch.serialization.add_safe_globals([
            _named(name, value) for name, value in mmengine_globals().items()
        ])

    def load_checkpoint(cls: type,
                        filename: str,
                        map_location: Any = None,
                        logger: Any = 'current') -> Any:
        """Load a checkpoint of tensors and mmengine's own classes.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it holds anything else, or is no checkpoint.
        """
        try:
            with _weights_only():
                return load(cls, filename, map_location, logger)
        except _UNPICKLING_ERRORS as error:
            reason = _refusal(error, filename)
            if reason is None:
                raise
        raise ValueError(f'{filename} {reason}')

    CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    # Without onedl-mmengine's message about the second try, which is none.
    if hasattr(checkpoint, '_safe_torch_load'):
        checkpoint._safe_torch_load = torch.load


def mmengine_globals() -> dict[str, Any]:
    """What mmengine's own checkpoints hold besides tensors, by pickled name.

    The message hub's ``HistoryBuffer``s with their NumPy arrays and the names
    of their statistics, best scores as NumPy scalars, the data set's meta
    information with arrays of numbers (``bytes`` if one is empty), and of
    schedulers the milestones and OneCycleLR's two curves. NumPy 1 and 2
    pickle the same two functions under different names; each reads the
    other's files here.
    """
    found = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler':
        OneCycleParamScheduler,
        'builtins.getattr': _mmengine_attribute,
        'builtins.bytes': bytes,
        'collections.Counter': Counter,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
    }
    array = np.zeros(1)
    functions: list[Any] = [array.__reduce__()[0], array[0].__reduce__()[0]]
    for function in functions:
        for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            found[f'{module}.{function.__name__}'] = function
    for code in '?bBhHiIlLqQefd':
        number = type(np.dtype(code))
        found[f'{number.__module__}.{number.__name__}'] = number
    return found


# The functions of classes that mmengine's checkpoints name.
_MMENGINE_ATTRIBUTES = (
    (HistoryBuffer, 'mean'),
    (HistoryBuffer, 'min'),
    (HistoryBuffer, 'max'),
    (HistoryBuffer, 'current'),
    (OneCycleParamScheduler, '_annealing_cos'),
    (OneCycleParamScheduler, '_annealing_linear'),
)


def _mmengine_attribute(owner: Any, name: str) -> Callable:
    """``getattr`` for the few uses that mmengine's pickles make of it.

    A free ``getattr`` would lead from any class to all that Python can do.
    """
    for known_owner, known_name in _MMENGINE_ATTRIBUTES:
        if owner is known_owner and name == known_name:
            return getattr(owner, name)
    raise pickle.UnpicklingError('GLOBAL builtins.getattr')


def _named(name: str, value: Any) -> Any:
    """Classes as they are; functions under the name that the pickle uses.

    ``add_safe_globals`` takes ``(function, name)`` only since torch 2.6.
    """
    if isinstance(value, type):
        return value

    def function(*args: Any) -> Any:
        return value(*args)

    function.__module__, function.__name__ = name.rsplit('.', 1)
    function.__qualname__ = function.__name__
    return function


@contextmanager
def _weights_only() -> Iterator[None]:
    """Every ``torch.load`` inside acts as with ``weights_only=True``.

    By torch's own switch, so that loads from files, URLs and object stores
    are all covered, and a ``weights_only=False`` does not get around it.
    """
    switches = {
        'TORCH_FORCE_WEIGHTS_ONLY_LOAD': '1',
        'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD': '0',
    }
    saved = {name: os.environ.get(name) for name in switches}
    serialization: Any = torch.serialization  # a module of it is replaced
    unpickler = serialization._weights_only_unpickler
    os.environ.update(switches)
    if not _TORCH_HAS_ALLOW_LIST:
        serialization._weights_only_unpickler = RestrictedPickle
    try:
        yield
    finally:
        serialization._weights_only_unpickler = unpickler
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class RestrictedPickle:
    """Stands for the ``pickle`` module in ``torch.load`` before torch 2.4.

    Their own restricted unpickler cannot be told about more classes. This one
    finds what theirs finds and :func:`mmengine_globals`, nothing else. May go
    with torch 2.3.
    """

    class Unpickler(pickle.Unpickler):
        """Looks names up in the list of allowed ones, imports nothing."""

        def find_class(self, module: str, name: str) -> Any:
            """The allowed object of this name, or an UnpicklingError."""
            if module == '__builtin__':  # its name in pickles of protocol 2
                module = 'builtins'
            full_name = f'{module}.{name}'
            allowed = {
                **torch._weights_only_unpickler._get_allowed_globals(),
                **mmengine_globals(), '_codecs.encode': codecs.encode
            }
            if full_name not in allowed:
                raise pickle.UnpicklingError(f'GLOBAL {full_name}')
            return allowed[full_name]

    @classmethod
    def load(cls, file: BinaryIO, **options: Any) -> Any:
        """Unpickle one object."""
        return cls.Unpickler(file, **options).load()


# What unpickling a file that is no checkpoint can raise.
_UNPICKLING_ERRORS = (pickle.UnpicklingError, EOFError, LookupError,
                      RuntimeError, ValueError, struct.error)


def _refusal(error: Exception, filename: str) -> Optional[str]:
    """Why a file is not loaded; None if the file is not the reason."""
    foreign = re.search(r'GLOBAL ([\w.]+)', str(error))
    if foreign:
        return (f'holds {foreign[1]}, which is neither a tensor nor a class '
                "of mmengine's own checkpoints, and could run code when it is "
                'loaded, so the file is refused. If you trust where it comes '
                'from, load it yourself with torch.load(file, '
                'weights_only=False) and save its weights alone with '
                "torch.save({'state_dict': ...}, new_file)")
    if not os.path.isfile(os.path.expanduser(filename)):
        return None  # a name that is not known, for example
    if isinstance(error, RuntimeError) and 'PytorchStreamReader' not in str(
            error):
        return None  # a device that is not there, for example
    return 'is not a checkpoint of PyTorch, or only a part of one'


read_checkpoints_safely()
