"""Variables and structs of MATLAB's files (format 5 to 7.2).

SciPy returns MATLAB's view: everything is a matrix, a struct without a value
is an empty matrix of doubles, a field without a value is missing from the
struct, texts are arrays of characters. The functions here turn that into
lists, numbers and texts, or None where the file has no value.
"""
import subprocess
import sys
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadWarning

# Without the current folder, whose files would be imported.
_CHILD = """
import sys
sys.path = [folder for folder in sys.path if folder]
from scipy.io import loadmat
loadmat(sys.argv[1], appendmat=False)
"""


def load_matlab(path: str | Path,
                needed: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Load the variables of a MATLAB file.

    Args:
        path: the file.
        needed: variables that must be in it.

    Returns:
        Arrays by variable name, as ``scipy.io.loadmat`` makes them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or lacks a variable.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path}')
    status = path.stat()
    try:
        _load_in_child(str(path), status.st_size, status.st_mtime_ns)
        with warnings.catch_warnings():
            # SciPy warns of a damaged variable and returns a text for it.
            warnings.simplefilter('error', MatReadWarning)
            content = loadmat(str(path), appendmat=False)
    except NotImplementedError as error:  # HDF5 inside
        raise ValueError(
            f'{path} is a MATLAB file of format 7.3, which SciPy cannot read; '
            "in MATLAB: load it, then save(..., '-v7')") from error
    except Exception as error:  # damage shows as nearly any exception
        raise ValueError(f'{path} is damaged or not a MATLAB file: '
                         f'{error or type(error).__name__}') from error
    content = {
        name: value
        for name, value in content.items() if not name.startswith('__')
    }
    missing = sorted(set(needed) - set(content))
    if missing:
        raise ValueError(f'{path} lacks {", ".join(missing)}; it has '
                         f'{", ".join(sorted(content)) or "no variables"}')
    return content


@lru_cache(maxsize=64)
def _load_in_child(path: str, size: int, time_ns: int) -> None:
    """Reject a file that crashes SciPy, by loading it in a child first.

    SciPy's compiled reader trusts the sizes and types in a file: a damaged or
    malicious one can end the process (SciPy 1.17: 1 of 80 uncompressed files
    with some changed bytes). Exceptions are left to the caller. To send the
    variables back would take 7 times as long as to load them once more. Each
    version of a file is loaded once.

    Raises:
        ValueError: if the child crashed.
    """
    # Not multiprocessing, which a data loader's processes must not use.
    child = subprocess.run([sys.executable, '-c', _CHILD, path],
                           stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL,
                           check=False)
    if child.returncode not in (0, 1):  # 1: a Python exception
        raise ValueError(f'SciPy crashes at its {size} bytes, with exit '
                         f'status {child.returncode}')


def structs(value: Any) -> list[np.void]:
    """Return the elements of a struct array, or of a cell array of such.

    SciPy writes a list of dicts as cells.

    Returns:
        One record per element, in MATLAB's order; none for an empty struct,
        the empty matrix that MATLAB puts in place of a struct, and None.
    """
    if isinstance(value, np.ndarray) and value.dtype.names:
        return list(value.ravel(order='F'))
    return [struct for cell in cells(value) for struct in structs(cell)]


def cells(value: Any) -> list[Any]:
    """Return the elements of a cell array; none for anything else."""
    if not isinstance(value, np.ndarray) or value.dtype != object:
        return []
    return list(value.ravel(order='F'))


def field(struct: np.void, name: str) -> np.ndarray | None:
    """Return a struct's field; None if it is missing or empty."""
    return _filled(struct[name]) if name in (struct.dtype.names
                                             or ()) else None


def _filled(value: Any) -> np.ndarray | None:
    """Return a value; None if it is empty or a struct without fields."""
    if not isinstance(value, np.ndarray) or value.size == 0:
        return None
    if value.dtype == object and value.size == 1 and value.item() is None:
        return None  # so SciPy reads a struct without fields
    return value


def _bare(struct: np.void, name: str) -> np.ndarray | None:
    """Return a field without cells around it."""
    value = field(struct, name)
    while value is not None and value.dtype == object and value.size == 1:
        value = _filled(value.item())
    return value


def numbers(struct: np.void, name: str) -> np.ndarray:
    """Return a field's numbers as float64.

    Raises:
        ValueError: if it is missing, empty or not numeric.
    """
    value = _bare(struct, name)
    if value is None:
        raise ValueError(f'{name} is missing or empty')
    try:
        return value.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f'{name} must be numbers, but has type '
                         f'{value.dtype}') from None


def number(struct: np.void, name: str) -> float | None:
    """Return a field that holds one number, of any type or as digits.

    Returns:
        The number; None if the field is missing, empty, blank or NaN.

    Raises:
        ValueError: if it holds anything else.
    """
    value = _bare(struct, name)
    if value is None or (value.dtype.kind == 'U'
                         and not ''.join(value.ravel()).strip()):
        return None
    if value.size != 1:
        raise ValueError(f'{name} must be one number, but has shape '
                         f'{value.shape}')
    found = numbers(struct, name).item()
    return None if np.isnan(found) else found


def text(struct: np.void, name: str) -> str | None:
    """Return a field that holds a text; None if it is missing or empty.

    Raises:
        ValueError: if it holds anything else.
    """
    value = _bare(struct, name)
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind != 'U':
        raise ValueError(f'{name} must be a text, but has shape {value.shape} '
                         f'and type {value.dtype}')
    return str(value.item())
