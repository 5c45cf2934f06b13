"""Read files of predictions: other projects' formats and MMPose's dumps.

Shape shorthand: N people, K keypoints.

=================  =======================================================
``.h5``, ``.mat``  an array ``preds``, ``pred`` or ``pos_pred_src``
``.npy``           an array
``.pkl``           a dump of ``tools/test.py --dump``
=================  =======================================================

An array is (N, K, 2), or (N, K, 3) with scores, also with the axes in one of
three other orders; the paper's code writes (N, K, 5): x and y in the image, x
and y in the heatmap, score. People are in the order of the ground truth; those
of a dump are sorted by their id.
"""
import io
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hourglass_plugin.datasets.readers.matlab import load_matlab
from hourglass_plugin.datasets.readers.newell_h5 import stored_array
from hourglass_plugin.skeletons import Skeleton

#: Names of an array of predictions.
_NAMES = ('preds', 'pred', 'pos_pred_src')
#: Axes of people, keypoints and values in an array, and how many values.
_LAYOUTS = (((0, 1, 2), (2, 3, 5)), ((2, 1, 0), (2, 3)), ((2, 0, 1), (2, 3)),
            ((0, 2, 1), (2, 3)))


class Predictions(NamedTuple):
    """Predictions of all people, float64 in 0-based pixels.

    The last two are known from dumps only.
    """

    keypoints: np.ndarray  #: (N, K, 2)
    images: list[str] | None = None  #: (N) file names without folders
    stacks: np.ndarray | None = None  #: (N, S, K, 2) of each stack


def read_predictions(path: str | Path, skeleton: Skeleton, num_people: int,
                     first_pixel: int) -> Predictions:
    """Read a file of predictions.

    Args:
        path: the file; its suffix decides the format.
        skeleton: of the joints, in order.
        num_people: how many people there should be.
        first_pixel: number of the first pixel in the file, 0 or 1 (MATLAB's).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, has other people or joints, or the
            order of its axes is ambiguous.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path}')
    suffix = path.suffix.lower()
    if suffix in ('.pkl', '.pickle'):
        if first_pixel != 0:
            raise ValueError(f'{path} is a dump, whose pixels count from 0; '
                             'name it with --zero-based or --others')
        found = _read_dump(path, skeleton)
    elif suffix in ('.h5', '.mat', '.npy'):
        array = _transposed(_read_array(path), path, skeleton, num_people)
        found = Predictions(array - first_pixel)
    else:
        raise ValueError(f'{path}: predictions are read from .pkl, .h5, .mat '
                         'and .npy files; convert it to one of them')
    if len(found.keypoints) != num_people:
        raise ValueError(
            f'{path} has predictions of {len(found.keypoints):,} people, but '
            f'the ground truth has {num_people:,}; use the same annotation '
            'file and --subset as for the predictions')
    return found


def _read_array(path: Path) -> np.ndarray:
    """Return the array of predictions of an HDF5, MATLAB or NumPy file."""
    try:
        if path.suffix.lower() == '.npy':
            array = np.load(path, allow_pickle=False)
            if not isinstance(array, np.ndarray):
                raise ValueError('it has several arrays; save one by np.save')
            return array
        if path.suffix.lower() == '.mat':
            arrays = load_matlab(path)
            return arrays[_array_name(arrays)]
        import h5py
        with h5py.File(path, 'r') as file:
            return stored_array(file, _array_name(file))
    except Exception as error:  # damaged files raise many classes
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f'{path} cannot be read as predictions: {error}') from error


def _array_name(names: Any) -> str:
    """Return the only one of ``_NAMES`` in a file's names."""
    found = [name for name in _NAMES if name in names]
    if len(found) != 1:
        raise ValueError(f'it must have one array of {", ".join(_NAMES)}, '
                         f'but has {", ".join(names) or "none"}; rename it')
    return found[0]


def _transposed(array: np.ndarray, path: Path, skeleton: Skeleton,
                num_people: int) -> np.ndarray:
    """Return (N, K, 2) of an array with its axes in any of four orders."""
    count = skeleton.num_keypoints
    if num_people == 1 and array.ndim == 2:
        array = array[..., None]  # MATLAB drops a third dimension of 1
    layouts = [
        layout for layout, values in _LAYOUTS
        if array.ndim == 3 and array.dtype.kind in 'iuf' and array.shape[
            layout[1]] == count and array.shape[layout[2]] in values
    ]
    if not layouts:
        raise ValueError(
            f'{path} must have numbers of shape (people, {count}, 2), but has '
            f'{array.dtype} {array.shape}; joints are those of '
            f'{skeleton.name}, in its order')
    layouts = [
        layout for layout in layouts if array.shape[layout[0]] == num_people
    ] or layouts[:1]
    if len(layouts) > 1:
        raise ValueError(
            f'{path}: the order of axes of shape {array.shape} is ambiguous; '
            'add scores as a third value, or leave them out')
    return np.transpose(array, layouts[0])[..., :2].astype(np.float64)


def _read_dump(path: Path, skeleton: Skeleton) -> Predictions:
    """Read the samples of ``tools/test.py --dump``, sorted by their id."""
    samples = read_dump(path)
    if not isinstance(samples, list):
        raise ValueError(f'{path} must have a list of samples; write it with '
                         'tools/test.py --dump')
    count = skeleton.num_keypoints
    people: dict[int, tuple[str, np.ndarray, Any]] = {}
    for index, sample in enumerate(samples):
        try:
            predicted, number = sample['pred_instances'], int(sample['id'])
            person = (
                Path(sample['img_path']).name,
                np.asarray(predicted['keypoints'],
                           np.float64).reshape(count, 2),
                predicted.get('stack_keypoints'))
        except (AttributeError, LookupError, OverflowError, TypeError,
                ValueError) as error:
            raise ValueError(
                f"{path}, sample {index} is not one person with {count} "
                "keypoints of MMPose's top-down runner: "
                f'{type(error).__name__}: {error}') from error
        if number in people:
            raise ValueError(f'{path}: sample {index} has the id {number} of '
                             'another; dump each dataset to its own file')
        people[number] = person
    images, keypoints, stacks = zip(
        *(people[number] for number in sorted(people))) if people else [()] * 3
    return Predictions(
        np.reshape(keypoints, (-1, count, 2)), [*images],
        None if any(each is None for each in stacks) or not people else
        np.concatenate(stacks)[..., :2].astype(np.float64))


def read_dump(path: Path) -> Any:
    """Read a file of ``tools/test.py --dump`` without executing code in it.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is damaged, or needs more than arrays and tensors.
    """
    try:
        with open(path, 'rb') as file:
            return _DumpUnpickler(file).load()
    except OSError:
        raise
    except Exception as error:  # pickle raises many for damaged files
        raise ValueError(f'{path} cannot be read as a dump of predictions: '
                         f'{error}; write it with tools/test.py --dump'
                         ) from error


class _DumpUnpickler(pickle.Unpickler):
    """Builds numbers, texts, containers, arrays and tensors only."""

    _ALLOWED = frozenset({
        '_codecs.encode', 'builtins.bytearray', 'builtins.complex',
        'builtins.frozenset', 'builtins.range', 'builtins.set',
        'builtins.slice', 'collections.OrderedDict', 'numpy.dtype',
        'numpy.ndarray', 'numpy.core.multiarray._reconstruct',
        'numpy.core.multiarray.scalar', 'numpy.core.numeric._frombuffer',
        'torch.Size', 'torch._utils._rebuild_tensor_v2'
    })

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed class or function."""
        # NumPy 2 moved it; either version reads the other's files.
        known = module.replace('numpy._core', 'numpy.core')
        if (known, name) == ('torch.storage', '_load_from_bytes'):
            return _load_storage
        if f'{known}.{name}' not in self._ALLOWED:
            raise pickle.UnpicklingError(
                f'{module}.{name}, which could run programs, is not allowed')
        if np.__version__ >= '2':
            known = known.replace('numpy.core', 'numpy._core')
        return super().find_class(known, name)


def _load_storage(content: bytes) -> Any:
    """Load a tensor's numbers; torch's own function would unpickle code."""
    import torch
    return torch.load(io.BytesIO(content), weights_only=True)
