"""Load a MATLAB file in a process of its own, which SciPy may crash.

``python matlab_child.py FILE`` writes the pickled answer of :func:`read`. This
module imports nothing of the package.
"""
import gc
import pickle
import sys
import warnings
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadWarning


def read(path: str) -> dict[str, Any] | str:
    """Return a file's variables as plain values, or an error.

    Arrays are tuples of shape, dtype and, in MATLAB's order, bytes; a cell's
    values; or a struct's rows of values. A pickle of arrays would take three
    times as long to make.
    """
    try:
        with warnings.catch_warnings():
            # SciPy warns of a damaged variable and returns a text for it.
            warnings.simplefilter('error', MatReadWarning)
            content = loadmat(path, appendmat=False)
        return {
            name: _plain(value)
            for name, value in content.items() if not name.startswith('__')
        }
    except NotImplementedError:  # HDF5 inside
        return ("it has format 7.3, which SciPy cannot read; in MATLAB: load "
                "it, then save(..., '-v7')")
    except Exception as error:  # damage shows as nearly any exception
        return f'{type(error).__name__}: {error}'


def _plain(value: Any) -> Any:
    if value is None:  # SciPy's struct without fields
        return None
    if not isinstance(value, np.ndarray):
        raise ValueError(f'{type(value).__name__} is not supported')
    dtype: Any = value.dtype.str
    content: Any
    if value.dtype.names:
        dtype = [(name, 'O') for name in value.dtype.names]
        content = [tuple(_plain(part) for part in row)
                   for row in value.ravel(order='F')]
    elif value.dtype == object:
        content = [_plain(part) for part in value.ravel(order='F')]
    else:
        content = value.tobytes(order='F')
    return value.shape, dtype, content


if __name__ == '__main__':
    gc.disable()  # millions of small objects, none of them garbage
    pickle.dump(read(sys.argv[1]), sys.stdout.buffer, protocol=5)
