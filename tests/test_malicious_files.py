"""Files made to do harm are refused in one line, and do none.

Archives are tested in tests/tools/dataset_converters, checkpoints in
tests/compat/test_restricted.py, dumps of predictions in
tests/evaluation/test_prediction_files.py.
"""
import json
import os
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from matlab_files import mpii_person, mpii_point, write_official_mpii
from mmengine.runner import load_checkpoint
from newell_files import newell_rows
from scipy.io import savemat

from hourglass_plugin.datasets.custom_dataset import check_coco_file
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.matlab import load_matlab
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.datasets.readers.person import check_image_name
from hourglass_plugin.datasets.readers.pose_json import (
    load_json,
    read_pose_json,
)
from hourglass_plugin.evaluation.files.predictions import read_predictions
from hourglass_plugin.models.weights.loading import read_checkpoint
from hourglass_plugin.skeletons import LSP, MPII


class Program:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace, )


@pytest.fixture
def trace(tmp_path):
    """Where a program leaves its trace, which it must not."""
    path = tmp_path / 'trace'
    pickle.loads(pickle.dumps(Program(path)))  # it would
    path.rmdir()
    yield path
    assert not path.exists()


def refused(call, path, place=''):
    """The error is one line with the file's name, and the place in it."""
    with pytest.raises(ValueError) as raised:
        call(path)
    assert place in str(raised.value)
    assert str(path) in str(raised.value)
    assert '\n' not in str(raised.value)


def predictions(path):
    return read_predictions(path, LSP, 1, 0)


@pytest.mark.parametrize('load', [
    read_checkpoint,
    lambda path: load_checkpoint(torch.nn.Linear(1, 1), path),
])
@pytest.mark.parametrize('is_zip', [True, False])
def test_a_checkpoint(load, is_zip, trace, tmp_path):
    from hourglass_plugin.compat import safe_checkpoints
    safe_checkpoints.restrict_checkpoint_loader()
    path = str(tmp_path / 'a.pth')
    content = dict(
        state_dict=dict(weight=torch.zeros(1, 1)),
        meta=dict(epoch=1),
        message_hub=Program(trace))
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    refused(load, path, 'mkdir')


@pytest.mark.parametrize('suffix', ['.npy', '.npz', '.pkl'])
def test_arrays_of_objects(suffix, trace, tmp_path):
    path = tmp_path / f'a{suffix}'
    objects = np.array([Program(trace)], object)
    with open(path, 'wb') as file:
        if suffix == '.pkl':
            pickle.dump([dict(pred_instances=objects)], file)
        else:
            save = np.save if suffix == '.npy' else np.savez
            save(file, objects, allow_pickle=True)
    refused(predictions, path)
    path = path.rename(tmp_path / 'a.npy')  # the suffix does not decide
    refused(predictions, path)


def matlab_file(path, change, compress=False):
    """A matrix whose bytes are changed; compressed after that."""
    savemat(path, dict(joints=np.zeros((3, 14, 2))))
    data = bytearray(path.read_bytes())
    change(data)
    if compress:
        packed = zlib.compress(bytes(data[128:]))
        data[128:] = struct.pack('<II', 15, len(packed)) + packed
    path.write_bytes(data)
    return path


def set_class(number):

    def change(data):
        data[128 + 16] = number  # after the matrix' tag and the flags'

    return change


def set_size(position, value):

    def change(data):
        data[position:position + 4] = struct.pack('<i', value)

    return change


@pytest.mark.parametrize('compress', [False, True])
@pytest.mark.parametrize('change', [
    set_class(17),  # an object
    set_class(3),
    set_class(16),  # a function
    set_class(5),  # a sparse matrix
    set_class(1),  # cells
    set_class(99),
    set_size(128 + 32, 1 << 30),  # 48 GiB
    set_size(128 + 64, 200),  # a type that crashes SciPy
    set_size(128 + 68, 1 << 20),  # longer than the file
])
def test_matlab_files(change, compress, checked_matlab_files, tmp_path):
    path = matlab_file(tmp_path / 'joints.mat', change, compress)
    refused(read_lsp, path)


def test_a_matlab_file_of_cells_in_cells(checked_matlab_files, tmp_path):
    """SciPy calls itself for each, until the stack overflows."""
    flags = struct.pack('<IIIIIIii', 6, 8, 1, 0, 5, 8, 1, 1)
    matrix = b''
    for _ in range(5000):
        matrix = flags + struct.pack('<II', 1, 0) + matrix
        matrix = struct.pack('<II', 14, len(matrix)) + matrix
    savemat(tmp_path / 'a.mat', {})
    data = (tmp_path / 'a.mat').read_bytes()[:128] + matrix
    (tmp_path / 'a.mat').write_bytes(data)
    refused(load_matlab, tmp_path / 'a.mat')


@pytest.mark.parametrize('read', [
    load_json,
    lambda path: read_mpii(path),
    lambda path: read_pose_json(path, LSP, 0),
    lambda path: check_coco_file(str(path), 3, ''),
    predictions,
])
@pytest.mark.parametrize('content', [
    '[' * 100_000,
    '{"a":' * 100_000,
    '[' + '9' * 100_000 + ']',
])
def test_json_that_is_too_deep_or_too_long(content, read, tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(content)
    refused(read, path)


@pytest.mark.parametrize(
    'kind', ['link', 'external', 'virtual', 'huge', 'group', 'nowhere'])
def test_hdf5_that_leads_elsewhere(kind, tmp_path):
    h5py = pytest.importorskip('h5py')
    rows = newell_rows(2, 16)
    scale = rows.pop('scale')
    with h5py.File(tmp_path / 'other.h5', 'w') as file:
        file['scale'] = scale
    (tmp_path / 'numbers').write_bytes(scale.tobytes())
    with h5py.File(tmp_path / 'a.h5', 'w') as file:
        for name, values in rows.items():
            file[name] = values
        if kind == 'link':
            file['scale'] = h5py.ExternalLink(
                str(tmp_path / 'other.h5'), 'scale')
        elif kind == 'external':
            file.create_dataset(
                'scale', (2, ),
                'f8',
                external=[(str(tmp_path / 'numbers'), 0, 16)])
        elif kind == 'virtual':
            layout = h5py.VirtualLayout((2, ), 'f8')
            layout[:] = h5py.VirtualSource(
                str(tmp_path / 'other.h5'), 'scale', (2, ))
            file.create_virtual_dataset('scale', layout)
        elif kind == 'huge':  # in a file of a few kilobytes
            file.create_dataset('scale', (1 << 50, ), 'f8', chunks=(1024, ))
        elif kind == 'group':
            file.create_group('scale')
        else:
            file['scale'] = h5py.SoftLink('/not/there')
    refused(lambda path: read_newell_h5(path, MPII), tmp_path / 'a.h5',
            'scale')


@pytest.mark.parametrize('name', [
    '../a.jpg', 'x/../../a.jpg', '..', 'x\\..\\a.jpg', '/etc/a.jpg',
    'C:\\a.jpg', 'C:a.jpg', '\\\\host\\a.jpg', 'http://host/a.jpg',
    'a\0.jpg', 'a\n.jpg', 'caf\udce9.jpg', '\ud800.jpg', ' ', 3, None
])
class TestNamesOfImagesOutsideOfTheirFolder:
    """In every kind of annotation file, with file and entry."""

    def test_json_of_hrnet(self, name, tmp_path):
        entry = dict(
            center=[9, 9], scale=1, joints=[[1, 1]] * 16, joints_vis=[1] * 16)
        entries = [dict(entry, image='a b/\u00e4.jpg')] * 2
        entries += [dict(entry, image=name)]
        (tmp_path / 'a.json').write_text(json.dumps(entries))
        refused(read_mpii, tmp_path / 'a.json', 'entry 2')

    def test_json_of_cpm(self, name, tmp_path):
        entry = dict(
            objpos=[9, 9], scale_provided=1, joint_self=[[1, 1, 1]] * 16)
        (tmp_path / 'a.json').write_text(
            json.dumps([dict(entry, img_paths=name)]))
        refused(read_mpii, tmp_path / 'a.json', 'entry 0')

    def test_hdf5(self, name, tmp_path):
        h5py = pytest.importorskip('h5py')
        if not isinstance(name, str) or '\0' in name:
            pytest.skip('not to be written')
        rows = newell_rows(2, 16)
        rows['imgname'] = np.array(
            [b'a.jpg', name.encode('utf-8', 'surrogatepass')])
        with h5py.File(tmp_path / 'a.h5', 'w') as file:
            for key, values in rows.items():
                file[key] = values
        refused(read_mpii, tmp_path / 'a.h5', 'row 1')

    def test_matlab(self, name, tmp_path):
        if not isinstance(name, str) or not name.strip() or (
                '\0' in name or not name.isascii()):
            pytest.skip('not to be written')
        people = [mpii_person([mpii_point(0, 3, 4)])]
        path = write_official_mpii(
            tmp_path / 'a.mat', [('a.jpg', 1, people, []),
                                 (name, 1, people, [])])
        refused(read_mpii, path, 'image 2, person 1')

    def test_coco(self, name, tmp_path):
        content = dict(
            images=[
                dict(id=1, file_name=name, width=9, height=9),
            ],
            annotations=[],
            categories=[])
        (tmp_path / 'a.json').write_text(json.dumps(content))
        refused(lambda path: check_coco_file(str(path), 3, str(tmp_path)),
                tmp_path / 'a.json', 'images[0]')


def test_names_below_the_folder(tmp_path):
    for name in ('a.jpg', 'a b/\u4eba.jpg', './a..b.jpg', '...jpg'):
        check_image_name(name)
    inside = str(tmp_path / 'images' / 'a.jpg')
    check_image_name(inside, str(tmp_path / 'images'))
    check_image_name(inside, '/')
    for folder in (str(tmp_path / 'image'), None):
        with pytest.raises(ValueError, match='the image'):
            check_image_name(inside, folder)


def test_the_package_reads_nothing_as_code():
    """Calls that can run code are absent, or in the modules that check."""
    import hourglass_plugin
    folder = Path(hourglass_plugin.__file__).parent
    for path in folder.rglob('*.py'):
        source = path.read_text('utf-8')
        if path.name not in ('restricted.py', 'predictions.py', 'matlab.py',
                             'matlab_child.py'):
            assert 'import pickle' not in source, path
        for word in ('allow_pickle=True', ' eval(', ' exec(', 'os.system',
                     'shell=True', 'yaml.load', 'import shelve',
                     'import marshal'):
            assert word not in source, (path, word)
