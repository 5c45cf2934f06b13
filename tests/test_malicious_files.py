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
from matlab_files import mpii_person, mpii_point, write_official_mpii
from newell_files import newell_rows
from scipy.io import savemat

import hourglass_plugin
from hourglass_plugin.datasets.custom_dataset import check_coco_file
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.datasets.readers.person import check_image_name
from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.evaluation.files.predictions import read_predictions
from hourglass_plugin.skeletons import LSP, MPII


def refused(call, path, place=''):
    """The error is one line with the file's name, and the place in it."""
    with pytest.raises(ValueError) as raised:
        call(path)
    assert place in str(raised.value)
    assert str(path) in str(raised.value)
    assert '\n' not in str(raised.value)


def predictions(path):
    return read_predictions(path, LSP, 1, 0)


def coco(path):
    return check_coco_file(str(path), 3, str(path.parent))


class Program:
    """Makes a folder when it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace, )


@pytest.mark.parametrize('suffix', ['.npy', '.npz', '.pkl'])
def test_arrays_of_objects(suffix, tmp_path):
    trace = tmp_path / 'trace'
    pickle.loads(pickle.dumps(Program(trace)))  # it would
    trace.rmdir()
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
    assert not trace.exists()


@pytest.mark.parametrize('compress', [False, True])
@pytest.mark.parametrize('position, value', [
    # The class of the matrix: an object, a function, a sparse one, cells.
    *((128 + 16, bytes([kind])) for kind in (17, 3, 16, 5, 1, 99)),
    (128 + 32, struct.pack('<i', 1 << 30)),  # 48 GiB
    (128 + 68, struct.pack('<i', 1 << 20)),  # longer than the file
])
def test_matlab_files(position, value, compress, tmp_path):
    path = tmp_path / 'joints.mat'
    savemat(path, dict(joints=np.zeros((3, 14, 2))))
    data = bytearray(path.read_bytes())
    data[position:position + len(value)] = value
    if compress:
        packed = zlib.compress(bytes(data[128:]))
        data[128:] = struct.pack('<II', 15, len(packed)) + packed
    path.write_bytes(data)
    refused(read_lsp, path)


@pytest.mark.parametrize('read', [
    read_mpii, lambda path: read_pose_json(path, LSP, 0), coco, predictions])
@pytest.mark.parametrize('content', [
    '[' * 100_000, '{"a":' * 100_000, '[' + '9' * 100_000 + ']'])
def test_json_that_is_too_deep_or_too_long(content, read, tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(content)
    refused(read, path)


@pytest.mark.parametrize('kind', ['link', 'external', 'virtual', 'huge',
                                  'group', 'nowhere'])
def test_hdf5_that_leads_elsewhere(kind, tmp_path):
    h5py = pytest.importorskip('h5py')
    rows = newell_rows(2, 16)
    scale = rows.pop('scale')
    other = str(tmp_path / 'other.h5')
    with h5py.File(other, 'w') as file:
        file['scale'] = scale
    numbers = tmp_path / 'numbers'
    numbers.write_bytes(scale.tobytes())
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file.update(rows)
        if kind == 'external':
            file.create_dataset('scale', (2, ), 'f8',
                                external=[(str(numbers), 0, 16)])
        elif kind == 'virtual':
            layout = h5py.VirtualLayout((2, ), 'f8')
            layout[:] = h5py.VirtualSource(other, 'scale', (2, ))
            file.create_virtual_dataset('scale', layout)
        elif kind == 'huge':  # in a file of a few kilobytes
            file.create_dataset('scale', (1 << 50, ), 'f8', chunks=(1024, ))
        elif kind == 'group':
            file.create_group('scale')
        else:
            file['scale'] = h5py.SoftLink('/not/there') if (
                kind == 'nowhere') else h5py.ExternalLink(other, 'scale')
    refused(lambda path: read_newell_h5(path, MPII), path, 'scale')


def hrnet_file(folder, name):
    entry = dict(
        center=[9, 9], scale=1, joints=[[1, 1]] * 16, joints_vis=[1] * 16)
    entries = [dict(entry, image='\u00e4.jpg'), dict(entry, image=name)]
    (folder / 'a.json').write_text(json.dumps(entries))
    return folder / 'a.json'


def cpm_file(folder, name):
    entry = dict(objpos=[9, 9], scale_provided=1, img_paths=name,
                 joint_self=[[1, 1, 1]] * 16)
    (folder / 'a.json').write_text(json.dumps([entry]))
    return folder / 'a.json'


def coco_file(folder, name):
    image = dict(id=1, file_name=name, width=9, height=9)
    (folder / 'a.json').write_text(
        json.dumps(dict(images=[image], annotations=[], categories=[])))
    return folder / 'a.json'


def newell_file(folder, name):
    rows = newell_rows(2, 16)
    rows['imgname'] = np.array(
        [b'a.jpg', name.encode('utf-8', 'surrogatepass')])
    with pytest.importorskip('h5py').File(folder / 'a.h5', 'w') as file:
        file.update(rows)
    return folder / 'a.h5'


def matlab_file(folder, name):
    people = [mpii_person([mpii_point(0, 3, 4)])]
    return write_official_mpii(folder / 'a.mat', [('a.jpg', 1, people, []),
                                                  (name, 1, people, [])])


@pytest.mark.parametrize('write, read, place', [
    (hrnet_file, read_mpii, 'entry 1'),
    (cpm_file, read_mpii, 'entry 0'),
    (coco_file, coco, 'images[0]'),
    (newell_file, read_mpii, 'row 1'),
    (matlab_file, read_mpii, 'image 2, person 1'),
])
@pytest.mark.parametrize('name', [
    '../a.jpg', 'x/../../a.jpg', '..', 'x\\..\\a.jpg', '/etc/a.jpg',
    'C:\\a.jpg', 'C:a.jpg', '\\\\host\\a.jpg', 'http://host/a.jpg',
    'a\0.jpg', 'a\n.jpg', 'caf\udce9.jpg', '\ud800.jpg', ' ', 3, None
])
def test_images_outside_of_their_folder(name, write, read, place, tmp_path):
    """In every kind of annotation file, with file and entry."""
    text = name if isinstance(name, str) else '\0'
    if (write in (newell_file, matlab_file) and '\0' in text) or (
            write is matlab_file and not (text.strip() and text.isascii())):
        pytest.skip('cannot be written')
    refused(read, write(tmp_path, name), place)


def test_names_below_the_folder(tmp_path):
    for name in ('a.jpg', 'a b/\u4eba.jpg', './a..b.jpg', '...jpg'):
        check_image_name(name)
    inside = str(tmp_path / 'images' / 'a.jpg')
    check_image_name(inside, str(tmp_path / 'images'))
    check_image_name(inside, '/')
    for folder in (str(tmp_path / 'image'), None):
        with pytest.raises(ValueError):
            check_image_name(inside, folder)


def test_the_package_reads_nothing_as_code():
    """Calls that can run code are absent, or in the modules that check."""
    for path in Path(hourglass_plugin.__file__).parent.rglob('*.py'):
        source = path.read_text('utf-8')
        if path.name not in ('restricted.py', 'predictions.py'):
            assert 'import pickle' not in source, path
        for word in ('allow_pickle=True', ' eval(', ' exec(', 'os.system',
                     'shell=True', 'yaml.load', 'import shelve',
                     'import marshal'):
            assert word not in source, (path, word)
