"""Variables and structs of MATLAB's files (format 5 to 7.2).

SciPy returns MATLAB's view: everything is a matrix, a struct without a value
is an empty matrix of doubles, a field without a value is missing from the
struct, texts are arrays of characters. The functions here turn that into
lists, numbers and texts, or None where the file has no value.
"""
import gc
import io
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import matlab_child


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
    answer = _read_in_child(str(path))
    if isinstance(answer, str):
        raise ValueError(f'{path} is damaged or not a MATLAB file of format 5 '
                         f'to 7.2: {answer}')
    missing = sorted(set(needed) - set(answer))
    if missing:
        raise ValueError(f'{path} lacks {", ".join(missing)}; it has '
                         f'{", ".join(sorted(answer)) or "no variables"}')
    collects = gc.isenabled()
    gc.disable()  # as in the child
    try:
        return {name: _array(value) for name, value in answer.items()}
    finally:
        if collects:
            gc.enable()


def _read_in_child(path: str) -> dict[str, Any] | str:
    """Return the answer of :func:`.matlab_child.read`."""
    # SciPy's compiled reader trusts the sizes and types in a file: a damaged
    # or malicious one can end the process (SciPy 1.17: 1 of 80 uncompressed
    # files with some changed bytes). Not multiprocessing, which a data
    # loader's processes must not use.
    child = subprocess.run(
        [sys.executable, matlab_child.__file__, path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False)
    if child.returncode:
        lines = child.stderr.decode(errors='replace').split('\n')
        return (f'SciPy ended with exit status {child.returncode} '
                f'{" ".join(lines[-2:]).strip()}')
    return _PlainUnpickler(io.BytesIO(child.stdout)).load()


class _PlainUnpickler(pickle.Unpickler):
    """Reads numbers, texts, bytes and containers only."""

    def find_class(self, module: str, name: str) -> Any:
        """Reject all classes and functions."""
        raise pickle.UnpicklingError(f'unexpected {module}.{name}')


def _array(value: Any) -> Any:
    """Return the array of a tuple of :func:`.matlab_child.read`."""
    if value is None:
        return None
    shape, dtype, content = value
    if isinstance(content, bytes):
        if not content:
            return np.empty(shape, dtype)
        return np.ndarray(shape, dtype, content, order='F').copy(order='K')
    array = np.empty(len(content), dtype)
    for index, item in enumerate(content):
        array[index] = (_array(item) if dtype == '|O' else
                        tuple(_array(part) for part in item))
    return array.reshape(shape, order='F')


def structs(value: Any) -> list[np.void]:
    """Return the elements of a struct array, or of a cell array of such.

    In MATLAB's order; none of an empty struct, the empty matrix that MATLAB
    puts in place of a struct, and None. SciPy writes a list of dicts as cells.
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
    names = struct.dtype.names or ()
    return _filled(struct[name]) if name in names else None


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
        if value.dtype.names:  # NumPy 1 converts a struct of one field
            raise TypeError
        return value.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f'{name} is not numbers: {value.dtype}') from None


def number(struct: np.void, name: str) -> float | None:
    """Return a field's number; None if it is missing, empty, blank or NaN.

    Raises:
        ValueError: if it is not one number, of any type or as digits.
    """
    value = _bare(struct, name)
    if value is None or (value.dtype.kind == 'U'
                         and not ''.join(value.ravel()).strip()):
        return None
    if value.size != 1:
        raise ValueError(f'{name} is not one number: {value.shape}')
    found = numbers(struct, name).item()
    return None if np.isnan(found) else found


def text(struct: np.void, name: str) -> str | None:
    """Return a field's text; None if it is missing or empty.

    Raises:
        ValueError: if it is not a text.
    """
    value = _bare(struct, name)
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind != 'U':
        raise ValueError(f'{name} is not a text: {value.shape} {value.dtype}')
    return str(value.item())
