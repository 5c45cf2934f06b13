"""Properties of any input: of codec, transforms and readers.

``test_properties.py`` tries them.
"""
import copy
import gzip
import json
import pickle
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from hypothesis import strategies as st
from matlab_files import (
    mpii_person,
    mpii_point,
    struct_array,
    write_head_boxes,
    write_official_mpii,
)
from newell_files import newell_rows, write_newell_h5
from pose_files import DOG_COCO, DOG_METAINFO, entry
from scipy.io import loadmat, savemat

import hourglass_plugin  # noqa: F401
from hourglass_plugin.codecs import HourglassHeatmap
from hourglass_plugin.datasets import CustomKeypointDataset
from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.mpii_ground_truth import (
    read_mpii_ground_truth,
)
from hourglass_plugin.evaluation.files.predictions import read_predictions
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.skeletons import FLIC, LSP, MPII
from hourglass_plugin.transforms import TopdownCrop
from hourglass_plugin.transforms.image_io import (
    UnreadableImageError,
    load_image,
)

_SCRATCH = tempfile.TemporaryDirectory()
_FOLDER = Path(_SCRATCH.name)

#: Name -> (strategies of the arguments, function that must not fail).
PROPERTIES = {}


def _result_or_refusal(path, call, *arguments):
    """Return the result, or None for an error that names the file."""
    try:
        return call(*arguments)
    except (ValueError, UnreadableImageError) as error:
        message = str(error)
    assert path.name in message, message
    return None


def holds(**strategies):
    """Enter a function, whose arguments are drawn from strategies."""

    def enter(function):
        PROPERTIES[function.__name__] = (strategies, function)
        return function

    return enter


_ANY_NUMBER = st.floats(width=32)
_NEAR = st.floats(-40, 300, width=32)
_SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def _codecs(draw, smallest_sigma=0.3):
    width, height = draw(st.integers(3, 20)), draw(st.integers(3, 20))
    stride = draw(st.sampled_from([1, 2, 4, 8]))
    return dict(
        input_size=(width * stride, height * stride),
        heatmap_size=(width, height),
        sigma=draw(st.floats(smallest_sigma, 4)),
        refinement=draw(st.sampled_from(['quarter', 'subpixel', 'none'])))


@st.composite
def _keypoints(draw, numbers):
    count = draw(st.integers(1, 5))
    flat = draw(st.lists(numbers, min_size=2 * count, max_size=2 * count))
    return np.array(flat, np.float32).reshape(1, count, 2)


@holds(settings=_codecs(), keypoints=_keypoints(_ANY_NUMBER | _NEAR),
       seed=_SEEDS)
def heatmaps_are_the_same_drawn_here_and_there(settings, keypoints, seed):
    """And in [0, 1], and zero where the weight is 0. Exponentials of the two
    libraries differ in the last place."""
    visible = np.random.default_rng(seed).integers(0, 2, keypoints.shape[:2])
    encoded = HourglassHeatmap(**settings).encode(keypoints, visible)
    codec = HourglassHeatmap(**settings, encode_on_device=True)
    labels = codec.encode(keypoints, visible)
    weights = encoded['keypoint_weights']
    np.testing.assert_array_equal(labels['keypoint_weights'], weights)
    drawn = codec.draw(
        torch.from_numpy(labels['keypoint_labels']),
        torch.from_numpy(labels['keypoint_weights']))[0].numpy()
    heatmaps = encoded['heatmaps']
    np.testing.assert_allclose(drawn, heatmaps, rtol=0, atol=1e-6)
    assert np.isfinite(heatmaps).all() and set(weights.ravel()) <= {0, 1}
    assert heatmaps.min() >= 0 and heatmaps.max() <= 1
    assert not heatmaps[weights[0] == 0].any()
    assert not (weights * (1 - visible)).any()


@holds(settings=_codecs(0.85), keypoints=_keypoints(st.floats(0, 1, width=32)))
def keypoints_come_back(settings, keypoints):
    """To half a cell, as a quarter cell towards the higher neighbour never
    leaves the cell; and exactly where Gaussians are drawn around exact places,
    if three cells from the first one's edge they are not cut off yet, which
    needs 3 sigma > 2.5. Float32 has 7 digits of a value that is as low as
    exp(-4.5) and of its logarithm, divided by 1 / sigma^2 = 1 / 16."""
    codec = HourglassHeatmap(**settings)
    size = np.array(settings['input_size'], np.float32)
    shift = 0.5 if settings['refinement'] == 'subpixel' else 0.0
    keypoints = keypoints * (size - 1e-3) - shift
    encoded = codec.encode(keypoints)
    decoded, scores = codec.decode(encoded['heatmaps'])
    inside = encoded['keypoint_weights'] > 0
    error = np.abs(decoded - keypoints)[inside]
    part = 1e-3 if settings['refinement'] == 'subpixel' else 0.5
    assert (error <= part * codec.stride[0] + 1e-3).all()
    assert (scores[inside] > 0).all() and (scores[~inside] == 0).all()


@holds(settings=_codecs(), seed=_SEEDS, kind=st.integers(0, 4))
def any_heatmaps_are_decoded_inside_of_the_image(settings, seed, kind):
    """Noise, constants, one NaN, only NaN, infinity."""
    rng = np.random.default_rng(seed)
    codec = HourglassHeatmap(**settings)
    width, height = settings['heatmap_size']
    heatmaps = rng.normal(0, 10**rng.uniform(-6, 6), (3, height, width))
    if kind == 1:
        heatmaps[:] = rng.normal()
    elif kind == 2:
        heatmaps[0, rng.integers(height), rng.integers(width)] = np.nan
    elif kind == 3:
        heatmaps[:] = np.nan
    elif kind == 4:
        heatmaps[0, rng.integers(height), rng.integers(width)] = np.inf
    heatmaps = heatmaps.astype(np.float32)
    keypoints, scores = codec.decode(heatmaps)
    assert (keypoints >= -0.5).all()
    assert (keypoints <= settings['input_size']).all()
    np.testing.assert_array_equal(scores[0], heatmaps.max((1, 2)))


_JUNK = st.one_of(
    st.sampled_from([
        None, True, False, '', '1', 'x', [], {}, [[]], {'a': 1}, 0, -1, 1e300,
        -1e300, 10**400, float('nan'),
        float('inf'), -float('inf'), 2**31, 2**63, 1e-300, '\ud800', '\0',
        '../a', [1, [2]], [None] * 3
    ]), st.integers(-2**40, 2**40), st.floats(), st.text(max_size=6),
    st.lists(st.floats(), max_size=4))


def _image_files():
    rng = np.random.default_rng(0)
    small = cv2.resize(rng.integers(0, 255, (9, 12, 3), np.uint8), (60, 44))
    files = {}
    for suffix in ('.jpg', '.png', '.webp', '.bmp', '.tiff'):
        files[suffix] = cv2.imencode(suffix, small)[1].tobytes()
    return files


_IMAGES = _image_files()
_WHOLE = _FOLDER / 'whole.jpg'
_WHOLE.write_bytes(_IMAGES['.jpg'])


@holds(
    center=st.tuples(*[st.floats(-100, 160, width=32)] * 2),
    scale=st.tuples(*[st.floats(0.5, 500, width=32) | _ANY_NUMBER] * 2),
    rotation=st.floats(-400, 400, width=32),
    flip=st.booleans(),
    reduced=st.booleans(),
    seed=_SEEDS)
def a_crop_is_whole_or_refused(center, scale, rotation, flip, reduced, seed):
    """Joints move as one would compute in float64, whatever is decoded."""
    joints = np.random.default_rng(seed).uniform(-50, 150, (1, 14, 2))
    record = dict(
        img_path=str(_WHOLE),
        bbox_center=np.array([center], np.float32),
        bbox_scale=np.array([scale], np.float32),
        bbox_rotation=np.array([rotation], np.float32),
        pending_flip=flip,
        keypoints=joints.astype(np.float32),
        keypoints_visible=np.ones((1, 14), np.float32),
        flip_indices=LSP.flip_indices)
    found = _result_or_refusal(_WHOLE, TopdownCrop((32, 48), reduced), record)
    if found is None:
        return
    assert found['img'].shape == (48, 32, 3)
    assert found['img'].dtype == np.uint8
    assert found['img_shape'] == (44, 60)
    moved = found['transformed_keypoints']
    assert np.isfinite(moved).all()
    size = found['bbox_scale'][0].astype(float)
    if size.min() < 1 or size.max() > 1e4:  # float32 knows it no better
        return
    assert abs(size[0] * 48 - size[1] * 32) <= 1e-4 * size[0] * 48
    source = joints[0, LSP.flip_indices] if flip else joints[0]
    if flip:
        source = source * (-1, 1) + (59, 0)
    angle = np.deg2rad(np.float64(np.float32(rotation)))
    turn = np.array([[np.cos(angle), -np.sin(angle)],
                     [np.sin(angle), np.cos(angle)]])
    zoom = 32 / size[0]
    expected = (source - found['input_center']) @ turn * zoom + (16, 24)
    tolerance = 1e-2 * max(1, zoom)  # hundredths of the image's pixels
    np.testing.assert_allclose(moved[0], expected, atol=tolerance)


def _damaged(content, damages):
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


_DAMAGES = st.lists(
    st.tuples(
        st.integers(0, 2**20),
        st.sampled_from(
            ['byte', 'byte', 'byte', 'number', 'cut', 'double', 'end']),
        st.integers(0, 255)), min_size=1, max_size=4)


@holds(suffix=st.sampled_from(sorted(_IMAGES)), damages=_DAMAGES,
       factor=st.sampled_from([1, 2, 8]))
def a_damaged_image_is_read_or_refused(suffix, damages, factor):
    """Whole in size; and a JPEG that was cut off is refused."""
    path = _FOLDER / 'damaged'
    content = _damaged(_IMAGES[suffix], damages)
    path.write_bytes(content)
    decoded = _result_or_refusal(path, load_image, str(path), factor)
    if decoded is None:
        return
    size = [-(-side // decoded.factor) for side in decoded.size]
    assert decoded.pixels.shape == (size[1], size[0], 3)
    assert decoded.pixels.dtype == np.uint8
    assert suffix != '.jpg' or b'\xff\xd9' in content


def _people_of(read, *arguments):
    """A reader that checks that all people can be used."""

    def check(path):
        for person in read(path, *arguments):
            assert isinstance(person.image, str) and '..' not in person.image
            assert np.isfinite(person.center).all()
            assert 0 < person.scale < float('inf')
            assert np.isfinite(person.keypoints[person.annotated]).all()

    return check


def _predictions(first_pixel):
    return lambda path: read_predictions(path, LSP, 2, first_pixel)


def _read_coco(path):
    dataset = CustomKeypointDataset(
        metainfo=DOG_METAINFO, ann_file=str(path), data_prefix=dict(img='x'))
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        assert record['keypoints'].shape == (1, 3, 2)
        for key in ('keypoints', 'bbox'):
            assert np.isfinite(record[key]).all()
        assert str(record['img_path']).startswith('x')


_CPM = dict(
    img_paths='a.jpg',
    objpos=[60, 70],
    scale_provided=1.5,
    joint_self=[[9 + joint, 9, 1] for joint in range(16)],
    isValidation=0,
    annolist_index=3,
    people_index=1)
_JSON = dict(
    hrnet=([entry(MPII), entry(MPII, head_size=9.0, official_index=[3, 1])],
           _people_of(read_mpii)),
    cpm=([_CPM] * 2, _people_of(read_mpii, 'train')),
    lsp=([entry(LSP), entry(LSP, joints_visible=[1] * 14)],
         _people_of(read_lsp)),
    flic=([entry(FLIC, torso_size=30.0)], _people_of(read_flic)),
    predictions=(dict(preds=[[[9, 9]] * 14] * 2), _predictions(0)),
    coco=(DOG_COCO, _read_coco))

_STEPS = st.lists(st.integers(0, 100), max_size=6)
_CHANGES = st.lists(
    st.tuples(_STEPS, st.sampled_from(['replace', 'remove', 'double']), _JUNK),
    min_size=1,
    max_size=3)


def _changed(content, changes):
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


@holds(kind=st.sampled_from(sorted(_JSON)), changes=_CHANGES)
def changed_json_is_read_or_refused(kind, changes):
    """Each value replaced by what does not belong there."""
    content, read = _JSON[kind]
    path = _FOLDER / 'changed.json'
    path.write_text(json.dumps(_changed(content, changes)))
    _result_or_refusal(path, read, path)


def _mat(**variables):
    """A MATLAB file's bytes, uncompressed."""
    savemat(_FOLDER / 'a.mat', variables)
    return (_FOLDER / 'a.mat').read_bytes()


def _mat_files():
    """{kind: (suffix, content, reader)}."""
    people = [mpii_person([mpii_point(0, 3, 4), mpii_point(5, 9, 4)])]
    official = write_official_mpii(
        _FOLDER / 'o.mat', [('a.jpg', 1, people, [1]), ('b.jpg', 1, [], [])])
    truth = write_head_boxes(
        _FOLDER / 't.mat', [entry(MPII)] * 2, [[[1, 1], [5, 6]]] * 2)
    example = dict(
        filepath='a.jpg',
        coords=np.arange(58.).reshape(2, 29),
        torsobox=np.array([[9., 9., 90., 99.]]),
        imgdims=np.array([[480., 720., 3.]]))
    joints = np.arange(84.).reshape(3, 14, 2) + 1
    joints[2] = 0
    files = dict(
        official=(_mat(RELEASE=loadmat(official)['RELEASE']),
                  _people_of(read_mpii)),
        packed=(official.read_bytes(), _people_of(read_mpii)),
        truth=(truth.read_bytes(), read_mpii_ground_truth),
        lsp=(_mat(joints=joints), _people_of(read_lsp)),
        flic=(_mat(examples=struct_array([example] * 2)),
              _people_of(read_flic)),
        predictions=(_mat(preds=np.ones((2, 14, 2))), _predictions(1)))
    return {kind: ('.mat', *file) for kind, file in files.items()}


def _other_files():
    """{kind: (suffix, content, reader)}: JSON, HDF5, dumps, checkpoints."""
    files = {}
    for kind, (content, read) in _JSON.items():
        data = json.dumps(content).encode()
        files[f'json {kind}'] = '.json', data, read
        if kind != 'predictions':
            packed = gzip.compress(data, mtime=0)
            files[f'gz {kind}'] = '.json.gz', packed, read
    path = _FOLDER / 'a.npy'
    write_newell_h5(path, newell_rows(2, 16))
    files['h5 people'] = '.h5', path.read_bytes(), _people_of(read_mpii)
    write_newell_h5(path, dict(preds=np.ones((2, 14, 2))))
    files['h5 predictions'] = '.h5', path.read_bytes(), _predictions(1)
    np.save(path, np.ones((2, 14, 2)))
    files['npy'] = '.npy', path.read_bytes(), _predictions(0)
    sample = dict(
        id=0,
        img_path='a.jpg',
        pred_instances=dict(keypoints=torch.ones(1, 14, 2)),
        gt_instances=dict(keypoints=np.ones((1, 14, 2)),
                          keypoints_visible=np.ones((1, 14))))
    dump = pickle.dumps([sample, dict(sample, id=1)])
    files['pkl'] = '.pkl', dump, _predictions(0)
    for suffix, is_zip in (('.pth', True), ('.tar', False)):
        torch.save(
            dict(state_dict=dict(a=torch.ones(3)), meta=dict(epoch=1)),
            path, _use_new_zipfile_serialization=is_zip)
        files[suffix] = (suffix, path.read_bytes(),
                         lambda path: read_checkpoint(str(path)))
    return files


def _read_damaged(file, damages, kept):
    """``kept`` bytes at the start stay as they are."""
    suffix, content, read = file
    path = _FOLDER / f'damaged{suffix}'
    path.write_bytes(content[:kept] + _damaged(content[kept:], damages))
    _result_or_refusal(path, read, path)


_FILES, _MAT = _other_files(), _mat_files()


@holds(kind=st.sampled_from(sorted(_FILES)), damages=_DAMAGES)
def damaged_files_are_read_or_refused(kind, damages):
    """Bytes changed or cut off: JSON, HDF5, checkpoints, dumps, arrays."""
    _read_damaged(_FILES[kind], damages, 0)


@holds(kind=st.sampled_from(sorted(_MAT)), damages=_DAMAGES)
def damaged_matlab_files_are_read_or_refused(kind, damages):
    """And none ends the process; the header's text does not matter."""
    _read_damaged(_MAT[kind], damages, 116)
