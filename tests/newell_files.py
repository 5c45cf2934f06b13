"""Small ``.h5`` files as the paper's code holds its people."""
import numpy as np
import pytest


def newell_rows(count, joints, seed=0):
    """Columns of a file with random people, all joints visible."""
    rng = np.random.default_rng(seed)
    return dict(
        imgname=np.array([f'{row:09d}.jpg' for row in range(count)], 'S'),
        center=rng.uniform(50, 200, (count, 2)),
        scale=rng.uniform(1, 5, count),
        part=rng.integers(1, 250, (count, joints, 2)).astype(float),
        visible=np.ones((count, joints)),
        normalize=rng.uniform(20, 90, count),
        index=np.arange(count) * 3.0,
        person=np.arange(count) % 2 * 1.0)


def write_newell_h5(path, rows):
    """Write columns, one dataset each; skips the test without h5py."""
    h5py = pytest.importorskip('h5py')
    with h5py.File(path, 'w') as file:
        for name, values in rows.items():
            file[name] = values
    return path
