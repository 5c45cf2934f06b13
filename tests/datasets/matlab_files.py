"""Small MATLAB files as MATLAB writes them: structs, empty matrices, cells."""
import numpy as np

#: What MATLAB writes for a struct, a number or a text without a value.
EMPTY = np.zeros((0, 0))


def struct_array(elements, shape=None):
    """A struct array, 1 x N unless told otherwise.

    Args:
        elements: one dict per element, all with the same keys.
        shape: rows and columns.
    """
    names = list(elements[0])
    array = np.empty(len(elements), dtype=[(name, object) for name in names])
    for index, element in enumerate(elements):
        if list(element) != names:
            raise ValueError('a struct array has the same fields throughout')
        for name in names:
            array[index][name] = element[name]
    return array.reshape(shape or (1, len(elements)))


def struct(**fields):
    """A 1 x 1 struct."""
    return struct_array([fields])


def cell_array(elements, shape=None):
    """A cell array, N x 1 unless told otherwise."""
    array = np.empty(len(elements), dtype=object)
    for index, element in enumerate(elements):
        array[index] = element
    return array.reshape(shape or (len(elements), 1))
