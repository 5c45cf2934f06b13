"""Read files of predictions: other projects' formats and MMPose's dumps.

Shape shorthand: N people, K keypoints.

==========  ==============================================================
``.h5``     an array ``preds``
``.mat``    an array ``preds`` or ``pred``, MPII's submission (struct
            ``pred``) or FLIC's ``examples``
``.npy``    an array
``.json``   a list with each person's keypoints, or a dictionary with one
``.pkl``    a dump of ``tools/test.py --dump``
==========  ==============================================================

An array is (N, K, 2), or (N, K, 3) with scores, also with the axes in one of
three other orders; the paper's code writes (N, K, 5): x and y in the image, x
and y in the heatmap, score. People are in the order of the ground truth; those
of a dump are sorted by their id.
"""
import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...datasets.readers.flic import COORDS_COLUMNS, NUM_COORDS_COLUMNS
from ...datasets.readers.hdf5 import own_array
from ...datasets.readers.matlab import field, load_matlab, number, structs
from ...datasets.readers.pose_json import load_json
from ...skeletons import FLIC, MPII, Skeleton

#: Names of an array of predictions, or of a dictionary's key.
_NAMES = ('preds', 'pred', 'predictions', 'keypoints', 'joints',
          'pos_pred_src')
#: Axes of people, keypoints and values in an array, and how many values.
_LAYOUTS = (((0, 1, 2), (2, 3, 5)), ((2, 1, 0), (2, 3)), ((2, 0, 1), (2, 3)),
            ((0, 2, 1), (2, 3)))


class Predictions(NamedTuple):
    """Predictions of all people, float64 in 0-based pixels.

    All but the first are known from dumps only.
    """

    keypoints: np.ndarray  #: (N, K, 2)
    images: list[str] | None = None  #: (N) file names without folders
    truth: np.ndarray | None = None  #: (N, K, 2), NaN where not annotated
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
    elif suffix == '.json':
        found = Predictions(_json_people(path, skeleton) - first_pixel)
    elif suffix in ('.h5', '.mat', '.npy'):
        found = Predictions(
            _read_arrays(path, skeleton, num_people) - first_pixel)
    else:
        raise ValueError(f'{path}: predictions are read from .pkl, .h5, .mat, '
                         '.npy and .json files')
    if len(found.keypoints) != num_people:
        raise ValueError(
            f'{path} has predictions of {len(found.keypoints):,} people, but '
            f'the ground truth has {num_people:,} (of --subset, if any)')
    return found


def _read_arrays(path: Path, skeleton: Skeleton,
                 num_people: int) -> np.ndarray:
    """Return (N, K, 2) of an HDF5, MATLAB or NumPy file."""
    with open(path, 'rb') as file:
        is_hdf5 = file.read(10) == b'MATLAB 7.3'
    try:
        if is_hdf5 or path.suffix.lower() == '.h5':
            import h5py
            with h5py.File(path, 'r') as file:
                return _array_among(
                    _hdf5_arrays(file), path, skeleton, num_people)
        if path.suffix.lower() == '.mat':
            content = load_matlab(path)
            people = _official_people(content, skeleton)
            if people is not None:
                return people
        else:
            content = {'array': np.load(path, allow_pickle=False)}
        return _array_among(
            {name: value for name, value in content.items()
             if value.dtype.kind in 'iuf'}, path, skeleton, num_people)
    except Exception as error:  # damaged files raise many classes
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f'{path} cannot be read as predictions: {error}') from error


def _hdf5_arrays(file: Any) -> dict[str, Any]:
    """Return the arrays of numbers in an ``h5py.File``, by path."""
    import h5py
    arrays: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in 'iuf':
            # Heatmaps stay on disk.
            arrays[name] = own_array(file, name) if item.ndim <= 3 else item

    file.visititems(keep)
    return arrays


def _official_people(content: dict[str, np.ndarray],
                     skeleton: Skeleton) -> np.ndarray | None:
    """Return (N, K, 2) of MPII's submission or FLIC's ``examples``, if any."""
    for name, owner, people_of in (('pred', MPII, _mpii_people),
                                   ('examples', FLIC, _flic_people)):
        if name in content and content[name].dtype.names:
            if skeleton is not owner:
                raise ValueError(f'the file is in the format of {owner.name}, '
                                 f'not of {skeleton.name}')
            people = [
                person
                for index, entry in enumerate(structs(content[name]), start=1)
                for person in people_of(entry, index)
            ]
            return np.reshape(people, (-1, skeleton.num_keypoints,
                                       2)).astype(np.float64)
    return None


def _mpii_people(entry: np.void, index: int) -> Iterator[np.ndarray]:
    """Yield (16, 2) for each person with ``annopoints`` of ``pred(index)``."""
    for rect in structs(field(entry, 'annorect')):
        points = [
            point for annopoints in structs(field(rect, 'annopoints'))
            for point in structs(field(annopoints, 'point'))
        ]
        keypoints = np.full((MPII.num_keypoints, 2), np.nan)
        for point in points:
            joint, x, y = (number(point, name) for name in ('id', 'x', 'y'))
            if joint is None or joint not in range(MPII.num_keypoints):
                raise ValueError(f'pred({index}) has a point with id {joint}; '
                                 'ids are 0 to 15')
            if x is not None and y is not None:
                keypoints[int(joint)] = x, y
        if points:
            yield keypoints


def _flic_people(entry: np.void, index: int) -> Iterator[np.ndarray]:
    """Yield (11, 2) of ``examples(index)``, whose ``coords`` are (2, 29)."""
    coords = field(entry, 'coords')
    if coords is None or coords.shape != (2, NUM_COORDS_COLUMNS):
        raise ValueError(f'examples({index}).coords must have shape (2, 29)')
    yield coords[:, COORDS_COLUMNS].T


def _array_among(arrays: dict[str, Any], path: Path, skeleton: Skeleton,
                 num_people: int) -> np.ndarray:
    """Return the array that fits, if several by a name in it: (N, K, 2)."""
    count = skeleton.num_keypoints
    if num_people == 1:  # MATLAB drops a third dimension of one person
        arrays = {
            name: array[..., None] if array.ndim == 2 else array
            for name, array in arrays.items()
        }
    fitting = {}  # name -> possible axes of people, keypoints and values
    for name, array in arrays.items():
        layouts = [
            layout for layout, values in _LAYOUTS if array.ndim == 3
            and array.shape[layout[1]] == count
            and array.shape[layout[2]] in values
        ]
        if layouts:
            fitting[name] = layouts
    named = [name for name in fitting if {*name.split('/')} & {*_NAMES}]
    found = named or list(fitting)
    if len(found) != 1:
        shapes = [f'{name} {array.shape}' for name, array in arrays.items()]
        raise ValueError(
            f'{path} must have one array `preds` of shape (people, {count}, '
            f'2), but has {", ".join(shapes) or "no array of numbers"}')
    array, layouts = arrays[found[0]], fitting[found[0]]
    layouts = [
        layout for layout in layouts if array.shape[layout[0]] == num_people
    ] or layouts[:1]
    if len(layouts) > 1:
        raise ValueError(
            f'{path}, {found[0]}: the order of axes of shape {array.shape} is '
            'ambiguous; add or remove scores, or write a JSON file')
    return np.transpose(array, layouts[0])[..., :2].astype(np.float64)


def _json_people(path: Path, skeleton: Skeleton) -> np.ndarray:
    """Return (N, K, 2) of a JSON file."""
    content = _named_entry(load_json(path), str(path))
    if not isinstance(content, list):
        raise ValueError(f'{path} must have a list of people')
    people = [
        _json_person(entry, f'{path}, person {index}', skeleton)
        for index, entry in enumerate(content)
    ]
    return np.reshape(people, (-1, skeleton.num_keypoints, 2))


def _named_entry(content: Any, where: str) -> Any:
    """Return a dictionary's predictions; other content as it is."""
    if not isinstance(content, dict):
        return content
    names = [name for name in _NAMES if name in content]
    if len(names) != 1:
        raise ValueError(f'{where} must have one of {", ".join(_NAMES)}, but '
                         f'has {", ".join(content)}')
    return content[names[0]]


def _json_person(entry: Any, where: str, skeleton: Skeleton) -> np.ndarray:
    """Return (K, 2) of [[x, y], ...], with scores, or flat as in COCO."""
    count = skeleton.num_keypoints
    try:
        keypoints = np.array(_named_entry(entry, where), np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{where}: {error}') from error
    if keypoints.shape not in ((2 * count, ), (3 * count, ), (count, 2),
                               (count, 3)):
        raise ValueError(f'{where}: the shape is {keypoints.shape}, not '
                         f'({count}, 2) or, with scores, ({count}, 3)')
    return keypoints.reshape(count, -1)[:, :2]


def _read_dump(path: Path, skeleton: Skeleton) -> Predictions:
    """Read the samples of ``tools/test.py --dump``, sorted by their id."""
    samples = read_dump(path)
    if not isinstance(samples, list):
        raise ValueError(f'{path} must have a list of samples')
    keypoints, stacks, truths, images, ids = [], [], [], [], []
    shape = (1, skeleton.num_keypoints)
    for index, sample in enumerate(samples):
        try:
            predicted, truth = sample['pred_instances'], sample['gt_instances']
            arrays = [
                np.asarray(predicted['keypoints']),
                np.asarray(truth['keypoints']),
                np.asarray(truth['keypoints_visible']) > 0
            ]
            if 'stack_keypoints' in predicted:
                stacks.append(np.asarray(predicted['stack_keypoints'])[0])
            images.append(Path(sample['img_path']).name)
            ids.append(int(sample['id']))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f'{path}, sample {index} is not one of MMPose\'s top-down '
                f'runner: {type(error).__name__}: {error}') from error
        if any(array.shape[:2] != shape for array in arrays):
            raise ValueError(f'{path}, sample {index} is not one person with '
                             f'{skeleton.num_keypoints} keypoints')
        annotated = arrays[2].reshape(*shape, -1)[0, :, :1]
        keypoints.append(arrays[0][0, :, :2])
        truths.append(np.where(annotated, arrays[1][0, :, :2], np.nan))
    if len(set(ids)) < len(ids):
        raise ValueError(f'{path} has several samples with the same id')
    order, every = np.argsort(ids), (-1, skeleton.num_keypoints, 2)
    return Predictions(
        np.reshape(keypoints, every).astype(np.float64)[order],
        [images[index] for index in order],
        np.reshape(truths, every).astype(np.float64)[order],
        np.stack(stacks).astype(np.float64)[order, ..., :2]
        if stacks and len(stacks) == len(ids) else None)


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
                         f'{error}') from error


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
