"""Arrays of HDF5 files, without those of other files that they point to."""
from typing import Any

import numpy as np


def own_array(file: Any, name: str) -> np.ndarray:
    """Return an array that is stored in the file itself.

    HDF5 can link to other files, and store or compose an array in others.

    Args:
        file: ``h5py.File``.
        name: of the array.

    Raises:
        ValueError: if it is not an array, lies in another file, or is larger
            than the memory.
    """
    import h5py  # only these files need it
    parts = name.split('/')
    links = [file.get('/'.join(parts[:end + 1]), getlink=True)
             for end in range(len(parts))]
    if any(isinstance(link, h5py.ExternalLink) for link in links):
        raise ValueError(f'{name} is a link to another file, which is not '
                         'followed')
    array = file.get(name)
    if not isinstance(array, h5py.Dataset):
        raise ValueError(f'{name} is not an array or a dangling link')
    if array.external or array.is_virtual:
        raise ValueError(f'{name} is in another file, which is not read')
    try:
        return np.asarray(array[()])
    except MemoryError:
        raise ValueError(f'{name} of shape {array.shape} is larger than the '
                         'memory') from None
