"""MATLAB's variables and structs, without surprises.

SciPy hands over what MATLAB wrote: everything is a matrix, a struct without a
value is an empty matrix of doubles, a field that nobody filled is missing from
the struct, texts are arrays of characters. The functions here turn that into
lists, numbers and texts, and say None where the file says nothing.
"""
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadWarning

from .matlab_structure import check_matlab_structure


def load_matlab(
    path: Union[str,
                Path], needed: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The variables of a MATLAB file (format 5 to 7.2).

    Args:
        path: the file.
        needed: variables that must be there.

    Returns:
        Arrays by variable name, as ``scipy.io.loadmat`` makes them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, holds anything but numbers, texts,
            cells and structs, or lacks a variable.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path}')
    try:
        check_matlab_structure(path)
        with warnings.catch_warnings():
            # SciPy warns of a damaged variable and returns a text for it.
            warnings.simplefilter('error', MatReadWarning)
            content = loadmat(str(path), appendmat=False)
    except NotImplementedError as error:  # HDF5 inside
        raise ValueError(
            f"{path} is a MATLAB file of format 7.3, which SciPy cannot read; "
            "in MATLAB: load it, then save(..., '-v7')") from error
    except Exception as error:  # damage shows as nearly any exception
        raise ValueError(f'{path} is damaged or no MATLAB file: '
                         f'{error or type(error).__name__}') from error
    content = {
        name: value
        for name, value in content.items() if not name.startswith('__')
    }
    missing = sorted(set(needed) - set(content))
    if missing:
        raise ValueError(f'{path} lacks {", ".join(missing)}; it holds '
                         f'{", ".join(sorted(content)) or "nothing"}')
    return content


def structs(value: Any) -> list[np.void]:
    """The elements of a struct array of any shape, or of a cell array of such.

    SciPy writes a list of dicts as cells.

    Returns:
        One record per element; none for an empty struct, for the empty matrix
        that MATLAB puts in place of a struct, and for None.
    """
    if isinstance(value, np.ndarray) and value.dtype.names:
        return list(value.ravel(order='F'))
    return [struct for cell in cells(value) for struct in structs(cell)]


def cells(value: Any) -> list[Any]:
    """The elements of a cell array of any shape; none if it is no such."""
    if not isinstance(value, np.ndarray) or value.dtype != object:
        return []
    return list(value.ravel(order='F'))


def texts(value: Any) -> list[str]:
    """The texts in a cell array or in the rows of a matrix of characters."""
    if isinstance(value, np.ndarray) and value.dtype.kind == 'U':
        return [row.strip() for row in value.ravel().tolist()]
    return [text for cell in cells(value) for text in texts(cell)]


def field(struct: np.void, name: str) -> Optional[np.ndarray]:
    """A struct's field; None if it is missing or empty."""
    names = struct.dtype.names or ()
    return _filled(struct[name]) if name in names else None


def _filled(value: Any) -> Optional[np.ndarray]:
    """A value; None if it is empty or a struct without fields."""
    if not isinstance(value, np.ndarray) or value.size == 0:
        return None
    if value.dtype == object and value.size == 1 and value.item() is None:
        return None  # so SciPy reads a struct without fields
    return value


def number(struct: np.void, name: str) -> Optional[float]:
    """A field that holds one number, of any type, or a number's digits.

    Returns:
        The number; None if the field is missing, empty, blank or NaN.

    Raises:
        ValueError: if it holds anything else.
    """
    value = field(struct, name)
    if value is None:
        return None
    if value.size != 1 or value.dtype.names:
        raise ValueError(f'{name} must be one number, but is an array of '
                         f'shape {value.shape}')
    content = value.item()
    if isinstance(content, np.ndarray):  # a cell around the number
        return number(np.array([(content, )], [(name, object)])[0], name)
    if isinstance(content, str) and not content.strip():
        return None
    try:
        found = float(content)
    except (TypeError, ValueError):
        raise ValueError(
            f'{name} must be a number, but is {content!r}') from None
    return None if np.isnan(found) else found


def text(struct: np.void, name: str) -> Optional[str]:
    """A field that holds a text; None if it is missing or empty.

    Raises:
        ValueError: if it holds anything else.
    """
    value = field(struct, name)
    while value is not None and value.dtype == object and value.size == 1:
        value = _filled(value.item())  # a cell around the text
    if value is None:
        return None
    if value.size != 1 or value.dtype.kind != 'U':
        raise ValueError(f'{name} must be a text, but is an array of shape '
                         f'{value.shape} and type {value.dtype}')
    return str(value.item())
