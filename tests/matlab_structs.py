"""MATLAB structs as SciPy writes them, and small official files of them."""
import numpy as np
from scipy.io import savemat

EMPTY = np.zeros((0, 0))


def struct_array(rows):
    """A (1, N) struct array; a field that a row lacks is []."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    array = np.empty((1, len(rows)), [(name, object) for name in names])
    for element, row in zip(array[0], rows):
        for name in names:
            element[name] = row.get(name, EMPTY)
    return array


def person(x, y, scale=1.5, joints=None):
    """An ``annorect``; joints are (16, 2), counted from 1."""
    row = dict(
        x1=x - 10.0,
        objpos=struct_array([dict(x=float(x), y=float(y))]),
        scale=float(scale))
    if joints is not None:
        points = [
            dict(x=float(a), y=float(b), id=float(k), is_visible=1.0)
            for k, (a, b) in enumerate(joints)
        ]
        row['annopoints'] = struct_array([dict(point=struct_array(points))])
    return row


def write_release(path, images):
    """Write MPII's official file.

    Args:
        path: where to.
        images: for each its name, whether it is to train on, its people (as
            :func:`person` makes them) and the numbers of single people.
    """
    annolist = struct_array([
        dict(
            image=struct_array([dict(name=name)]),
            annorect=struct_array(people) if people else EMPTY,
            vididx=3.0) for name, _, people, _ in images
    ])
    single = np.empty((len(images), 1), object)
    for index, (_, _, _, numbers) in enumerate(images):
        single[index, 0] = np.array(numbers, float).reshape(-1, 1)
    release = dict(
        annolist=annolist,
        img_train=np.array([[float(is_train)
                             for _, is_train, _, _ in images]]),
        single_person=single,
        version='12')
    savemat(path, dict(RELEASE=release), do_compression=True)
