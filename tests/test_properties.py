"""Files with any damage are read, or refused by name.

A few inputs for each, always the same ones;
``PROPERTY_EXAMPLES=7000 python -m pytest tests/test_properties.py`` tries that
many random ones of each.
"""
import copy
import gzip
import json
import os
import pickle
import warnings

import cv2
import numpy as np
import pytest
import torch
from annotation_files import FILES
from mmengine.registry import init_default_scope
from pose_files import DOG_METAINFO
from prediction_files import read_predictions

from hourglass_plugin.datasets import CustomKeypointDataset
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.skeletons import LSP
from hourglass_plugin.transforms.image_io import (
    UnreadableImageError,
    load_image,
)

hypothesis = pytest.importorskip('hypothesis')
h5py = pytest.importorskip('h5py')
st = hypothesis.strategies

EXAMPLES = int(os.environ.get('PROPERTY_EXAMPLES', 0))


def tried(few=40, **strategies):
    """Call the test with arguments that are drawn from strategies."""

    def decorate(test):

        def repeated(tmp_path):
            init_default_scope('mmpose')
            settings = hypothesis.settings(
                max_examples=EXAMPLES or few, derandomize=not EXAMPLES,
                database=None, deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck))
            bound = hypothesis.given(**strategies)(
                lambda **drawn: test(folder=tmp_path, **drawn))
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # overflows: numbers are any
                settings(bound)()

        return repeated

    return decorate


def result_or_refusal(path, call, *arguments):
    """Return the result, or None for an error that names the file."""
    try:
        return call(*arguments)
    except (ValueError, UnreadableImageError) as error:
        message = str(error)
    assert path.name in message, message
    return None


IMAGE = cv2.resize(
    np.random.default_rng(0).integers(0, 255, (9, 12, 3), np.uint8), (60, 44))
IMAGES = {
    suffix: cv2.imencode(suffix, IMAGE)[1].tobytes()
    for suffix in ('.jpg', '.png', '.webp', '.bmp', '.tiff')
}


def damaged(content, damages):
    """Bytes with some changed, cut out, doubled or cut off."""
    content = bytearray(content)
    for place, kind, value in damages:
        place %= max(len(content), 1)
        if kind == 'byte':
            content[place:place + 1] = bytes([value])
        elif kind == 'number':
            content[place // 4 * 4:place // 4 * 4 + 4] = (
                0, -1, 2**31 - 1, -2**31, 1)[value % 5].to_bytes(
                    4, 'little', signed=True)
        elif kind == 'cut':
            del content[place:place + value]
        elif kind == 'double':
            content[place:place] = content[place:place + value]
        else:
            del content[place:]
    return bytes(content)


DAMAGES = st.lists(st.tuples(
    st.integers(0, 2**20),
    st.sampled_from([*['byte'] * 3, 'number', 'cut', 'double', 'end']),
    st.integers(0, 255)), min_size=1, max_size=4)


@tried(suffix=st.sampled_from(sorted(IMAGES)), damages=DAMAGES,
       factor=st.sampled_from([1, 2, 8]))
def test_a_damaged_image_is_read_or_refused(suffix, damages, factor, folder):
    """Whole in size; and a JPEG that was cut off is refused."""
    path = folder / 'damaged'
    content = damaged(IMAGES[suffix], damages)
    path.write_bytes(content)
    decoded = result_or_refusal(path, load_image, str(path), factor)
    if decoded is not None:
        size = [-(-side // decoded.factor) for side in decoded.size]
        assert decoded.pixels.shape == (size[1], size[0], 3)
        assert decoded.pixels.dtype == np.uint8
        assert suffix != '.jpg' or b'\xff\xd9' in content


def read_coco(path):
    dataset = CustomKeypointDataset(
        metainfo=DOG_METAINFO, ann_file=str(path), data_prefix=dict(img='x'))
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        assert record['keypoints'].shape == (1, 3, 2)
        for key in ('keypoints', 'bbox'):
            assert np.isfinite(record[key]).all()
        assert str(record['img_path']).startswith('x')


def read(kind, path):
    """Read a file; all its people can be used."""
    if kind == 'coco':
        return read_coco(path)
    if kind == 'checkpoint':
        return read_checkpoint(str(path))
    if kind == 'predictions':
        return read_predictions(path, LSP, 2, 0)
    for person in FILES[kind][1](path):
        assert isinstance(person.image, str) and '..' not in person.image
        assert np.isfinite(person.center).all()
        assert 0 < person.scale < float('inf')
        assert np.isfinite(person.keypoints[person.annotated]).all()


JUNK = st.one_of(
    st.sampled_from([
        None, True, False, '', '1', 'x', [], {}, [[]], {'a': 1}, 0, -1, 1e300,
        -1e300, 10**400, float('nan'), float('inf'), -float('inf'), 2**31,
        2**63, 1e-300, '\ud800', '\0', '../a', [1, [2]], [None] * 3]),
    st.integers(-2**40, 2**40), st.floats(), st.text(max_size=6),
    st.lists(st.floats(), max_size=4))
STEPS = st.lists(st.integers(0, 100), max_size=6)
CHANGES = st.lists(
    st.tuples(STEPS, st.sampled_from(['replace', 'remove', 'double']), JUNK),
    min_size=1, max_size=3)


def with_changes(content, changes):
    """JSON's content with parts replaced, removed or doubled."""
    holder = [copy.deepcopy(content)]
    for steps, action, value in changes:
        parent, key = holder, 0
        for step in steps:
            part = parent[key]
            if not isinstance(part, (dict, list)) or not part:
                break
            keys = list(part) if isinstance(part, dict) else range(len(part))
            parent, key = part, keys[step % len(keys)]
        if action == 'replace':
            parent[key] = copy.deepcopy(value)
        elif action == 'remove' and parent is not holder:
            del parent[key]
        elif action == 'double' and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[key]))
    return holder[0]


@tried(few=80, changes=CHANGES,
       kind=st.sampled_from(['people', 'cpm', 'coco']))
def test_changed_json_is_read_or_refused(kind, changes, folder):
    """Each value replaced by what does not belong there."""
    path = folder / 'a.json'
    content = json.loads(FILES[kind][0](folder, {}).read_text())
    path.write_text(json.dumps(with_changes(content, changes)))
    result_or_refusal(path, read, kind, path)


def write_predictions(path):
    if path.suffix == '.h5':
        with h5py.File(path, 'w') as file:
            file['preds'] = np.ones((2, 14, 2))
    elif path.suffix == '.npy':
        np.save(path, np.ones((2, 14, 2)))
    else:
        path.write_bytes(pickle.dumps([
            dict(id=index, img_path='a.jpg',
                 pred_instances=dict(keypoints=torch.ones(1, 14, 2)))
            for index in range(2)]))


@tried(
    few=120,
    damages=DAMAGES,
    file=st.sampled_from([
        *((kind, '.x') for kind in (
            'people', 'cpm', 'coco', 'h5', 'image', 'release')),
        ('cpm', '.json.gz'),
        *(('predictions', suffix) for suffix in ('.h5', '.npy', '.pkl')),
        ('checkpoint', '.pth'), ('checkpoint', '.tar')]))
def test_damaged_files_are_read_or_refused(file, damages, folder):
    """Bytes changed or cut off: JSON, HDF5, checkpoints, dumps, arrays.

    MATLAB's are compressed, as real ones are, with a checksum: SciPy's reader
    trusts the sizes in others. The text in their header does not matter.
    """
    kind, suffix = file
    whole = 116 if kind in ('image', 'release') else 0
    path = folder / f'a{suffix}'
    if kind == 'predictions':
        write_predictions(path)
    elif kind == 'checkpoint':
        torch.save(
            dict(state_dict=dict(a=torch.ones(3)), meta=dict(epoch=1)), path,
            _use_new_zipfile_serialization=suffix == '.pth')
    else:
        content = FILES[kind][0](folder, {}).read_bytes()
        path.write_bytes(gzip.compress(content, mtime=0)
                         if suffix == '.json.gz' else content)
    content = path.read_bytes()
    path.write_bytes(content[:whole] + damaged(content[whole:], damages))
    result_or_refusal(path, read, kind, path)
