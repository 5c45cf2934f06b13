"""Malformed and malicious files: each error names file and entry."""
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from annotation_files import FILES, POINTS, lsp_joints
from matlab_files import EMPTY, cell_array, mpii_person, mpii_point
from newell_files import newell_rows
from pose_files import DOG_COCO, DOG_METAINFO, changed
from prediction_files import read_predictions
from scipy.io import savemat

from hourglass_plugin.datasets.custom_dataset import check_metainfo
from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.datasets.readers.person import check_image_name
from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.skeletons import LSP, MPII

NAN, INF = float('nan'), float('inf')
#: (kind of file, change, place that the error names)
CASES = [
    *(('people', change, 'entry 1') for change in (
        dict(scale=0), dict(scale=-1.0), dict(scale=NAN), dict(scale=0.004),
        dict(scale=1e5), dict(scale='large'), dict(center=[1.0]),
        dict(center=[INF, 0]), dict(center=[1e30, 5]), dict(center='absent'),
        dict(joints=[[1, 2]] * 15), dict(joints=[[NAN, 2]] * 16),
        dict(joints=[[1, 2], [3]]), dict(joints=None),
        dict(joints_vis=[1] * 17), dict(joints_vis=[1] * 15 + [None]),
        dict(joints_vis=[NAN] * 16), dict(joints_vis=['1'] * 16),
        dict(joints_vis=[1, 2] * 8), dict(joints_vis=1),
        dict(joints_visible=[None] * 16), dict(joints_visible=[1] * 15),
        dict(head_size=True), dict(head_size=0), dict(head_size=1e6 + 1),
        dict(torso_size=1e300), dict(image=None), dict(image=''),
        dict(image='../a.jpg'), dict(official_index=[4]),
        dict(official_index=[4, 0.5]), dict(official_index=7))),
    *(('cpm', change, 'entry 1') for change in (
        dict(isValidation=None), dict(img_paths=None), {'joint_self.3': [1]},
        dict(joint_self=[[1, 2, 1]] * 14), dict(scale_provided=[1]))),
    *(('h5', change, place) for change, place in (
        (dict(part=np.ones((2, 14, 2))), 'row 0'),
        (dict(part=np.array([b'a', b'b'])), 'a.x'),
        (dict(part=np.float64(1)), 'part'),
        (dict(center=np.ones((3, 2))), 'center'),
        (dict(visible=np.ones((2, 14))), 'row 0'),
        (dict(imgname=np.array([b'a.jpg'])), 'imgname'),
        (dict(imgname=np.array([1.0, 2.0])), 'row 0'),
        (dict(imgname=np.array([[97.0, 98.0], [97.0, 0.5]])), 'row 1'),
        (dict(imgname=np.array([[97.0], [NAN]])), 'row 1'),
        (dict(imgname=np.array([[97.0], [2.0**21]])), 'row 1'),
        (dict(imgname=np.array([b'a.jpg', b'caf\xe9.jpg'])), 'row 1'),
        (dict(scale=np.array([1, 0])), 'row 1'),
        (dict(center=np.array([[1, 2], [NAN, 3]])), 'row 1'),
        (dict(visible=np.full((2, 16), 0.5)), 'row 0'),
        (dict(index=np.array([1, 0.5])), 'row 1'),
        (dict(person=np.array([1, -1])), 'row 1'),
        (dict(part=np.full((2, 16, 2), NAN)), 'row 0'),
        (dict(normalize=np.array([1, 1e7])), 'row 1'))),
    *(('examples', change, 'row 1') for change in (
        dict(filepath=EMPTY), dict(coords=EMPTY), dict(coords='none'),
        dict(coords=np.zeros((29, 2))), dict(torsobox=np.ones((1, 3))),
        dict(torsobox=np.full((1, 4), NAN)), dict(istest=EMPTY),
        dict(coords=np.full((2, 29), INF)))),
    *(('joints', joints, place) for joints, place in (
        (np.zeros((4, 14, 3)), 'joints'), (np.zeros((14, 14, 3)), 'joints'),
        (np.zeros(7), 'joints'), ('text', 'joints'),
        (lsp_joints(v=2), 'joint 6 of person 1'),
        (lsp_joints(v=NAN), 'joint 6 of person 1'),
        (lsp_joints(x=NAN), 'joint 6 of person 1'),
        (lsp_joints(y=INF), 'joint 6 of person 1'),
        (lsp_joints(True, v=2), 'joint 6 of person 1'),
        (lsp_joints(True, x=-INF), 'joint 6 of person 1'),
        (lsp_joints(True, y=NAN), 'joint 6 of person 1'))),
    *(('truth', change, place) for change, place in (
        (dict(jnt_missing=None, headboxes_src=None), 'jnt_missing'),
        (dict(pos_gt_src=np.ones((2, 16, 3))), 'pos_gt_src'),
        (dict(headboxes_src=np.ones((2, 2, 4))), 'headboxes_src'),
        (dict(jnt_missing=np.zeros((3, 16))), 'a.x'),
        (dict(pos_gt_src='none'), 'pos_gt_src'),
        (dict(jnt_missing=np.zeros((16, 0))), 'a.x'),
        (dict(headboxes_src=np.ones((2, 2, 3))), 'person 0'),
        (dict(pos_gt_src=np.full((16, 2, 3), NAN)), 'person 0'),
        (dict(jnt_missing=np.full((16, 3), [0, 0.5, 0])), 'person 1'),
        (dict(jnt_missing=np.full((16, 3), NAN)), 'person 0'))),
    *(('image', ('b.jpg', person), 'image 2, person 2') for person in (
        mpii_person([mpii_point(16, 1, 1)]), mpii_person(POINTS, scale=-1.0),
        mpii_person(POINTS, scale='big'),
        mpii_person([mpii_point(1, np.array([[1, 2]]), 1)]),
        mpii_person([mpii_point(1, INF, 1)]))),
    *(('release', change, place) for change, place in (
        (dict(annolist=EMPTY), 'annolist'), (dict(annolist=None), 'annolist'),
        (dict(img_train=None), 'img_train'),
        (dict(img_train=np.ones((1, 3))), 'img_train'),
        (dict(single_person=cell_array([EMPTY])), 'single_person'))),
    *(('coco', change, place) for change, place in (
        ({'categories': None}, 'categories'),
        ({'images.0.width': None}, 'images[0]'),
        ({'images.0.width': 0}, 'images[0]'),
        ({'images.0.height': 80.5}, 'images[0]'),
        ({'images.0.id': '7'}, 'images[0]'),
        ({'images.0.file_name': '../a.jpg'}, 'images[0]'),
        ({'images': DOG_COCO['images'] * 2}, 'images[1]'))),
    *(('coco', {f'annotations.0.{key}': value}, 'annotations[0]')
      for key, value in (
          ('bbox', [1, 2, 3]), ('bbox', [10**400, 1, 2, 3]),
          ('bbox', [9, 9, -3, 3]), ('bbox', [9, True, 3, 3]),
          # Pixels reach from 0 to 99 and 79.
          ('bbox', [99, 20, 30, 40]), ('bbox', [10, -40, 30, 40]),
          ('image_id', 8), ('image_id', [7]), ('category_id', 2),
          # Python's True is equal to 1, and to the category's id.
          ('category_id', [1]), ('category_id', True), ('id', True),
          ('iscrowd', '0'), ('iscrowd', 2), ('area', 'large'), ('area', INF),
          # More than a float holds; JSON's numbers have any length.
          ('area', 10**400), ('num_keypoints', {}),
          ('keypoints', [1, 2, 2] * 4), ('keypoints', [NAN, 2, 2] * 3),
          ('keypoints', [1, None, 1] * 3), ('keypoints', [1, 2, None] * 3),
          ('keypoints', [True, 2, 1] * 3),
          ('keypoints', [[1, 2, 2]] * 3), ('keypoints', 0),
          ('keypoints', [1, 2, 2, 1, 2, 7, 1, 2, 0]),
          ('keypoints', [1, 2, 0.5] * 3)))]


def refused(call, argument, place='', kind=ValueError):
    """The error is one line with the file's name, and the place in it."""
    with pytest.raises(kind) as raised:
        call(argument)
    message = str(raised.value)
    assert place in message and '\n' not in message
    if isinstance(argument, Path):
        assert str(argument) in message


@pytest.mark.parametrize('kind, change, place', CASES)
def test_errors_name_file_and_entry(kind, change, place, tmp_path):
    write, read = FILES[kind]
    refused(read, write(tmp_path, change), place)


@pytest.mark.parametrize('kind, unchanged', [
    *((kind, {}) for kind in FILES), ('joints', lsp_joints(True)),
    ('coco', {'annotations.0.keypoints': None}),
    # A part in the image; or no area, so that the keypoints decide.
    *(('coco', {'annotations.0.bbox': box, 'annotations.0.keypoints.0': x})
      for box, x in (([98, 20, 30, 40], 90), ([-29, -39, 30, 50], 9),
                     ([500, 500, 0, 0], 9), (None, 9)))])
def test_the_unchanged_files_are_read(kind, unchanged, tmp_path):
    write, read = FILES[kind]
    read(write(tmp_path, unchanged))


@pytest.mark.parametrize('changes, place', [
    ({'sigmas': None}, 'sigmas'), ({'keypoint_info.2': None}, 'right_ear'),
    ({'keypoint_info.0': None}, 'keypoint_info'),
    ({'keypoint_info.1.name': 'nose'}, 'nose'),
    ({'keypoint_info.2.swap': None}, 'right_ear'),
    ({'keypoint_info.2.swap': 'nose'}, 'nose'),
    ({'skeleton_info.0.link': ('nose', 'tail')}, 'tail'),
    ({'joint_weights': [1.0]}, 'joint_weights'),
    ({'sigmas': [1.0]}, 'sigmas')])
def test_errors_of_metainfo_name_the_key(changes, place):
    check_metainfo(DOG_METAINFO)
    refused(check_metainfo, changed(DOG_METAINFO, changes), place)


@pytest.mark.parametrize('read', [
    *(FILES[kind][1] for kind in ('people', 'joints', 'truth', 'coco')),
    read_flic,
    lambda path: read_newell_h5(path, MPII),
    lambda path: read_pose_json(path, LSP, 0),
    lambda path: read_predictions(path, LSP, 1, 0)])
@pytest.mark.parametrize('content', [
    None, b'', b'hello', b'\x00\x01', b'PK\x03\x04', b'MATLAB 5.0',
    b'\x89HDF\r\n\x1a\n', b'[{"image": ', b'{"images": []}',
    # Too deep, or a number that is too long.
    b'[' * 100_000, b'{"a":' * 100_000, b'[' + b'9' * 100_000 + b']'],
    ids=lambda content: repr(content[:15] if content else content))
@pytest.mark.parametrize('suffix', ['.mat', '.h5', '.json'])
def test_other_files_are_rejected(read, content, suffix, tmp_path):
    path = tmp_path / f'a{suffix}'
    if content is not None:
        path.write_bytes(content)
    refused(read, path,
            kind=FileNotFoundError if content is None else ValueError)


@pytest.mark.parametrize('compress', [False, True])
@pytest.mark.parametrize('position, value', [
    # The class of the matrix: an object, a function, a sparse one, cells.
    *((128 + 16, bytes([kind])) for kind in (17, 3, 16, 5, 1, 99)),
    (128 + 32, struct.pack('<i', 1 << 30)),  # 48 GiB
    (128 + 68, struct.pack('<i', 1 << 20))])  # longer than the file
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


@pytest.mark.parametrize('kind', ['link', 'external', 'virtual', 'huge',
                                  'group'])
def test_hdf5_that_leads_elsewhere(kind, tmp_path):
    h5py = pytest.importorskip('h5py')
    rows = newell_rows(2, 16)
    scale = rows.pop('scale')
    other = str(tmp_path / 'other.h5')
    with h5py.File(other, 'w') as file:
        file['scale'] = scale
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file.update(rows)
        if kind == 'external':
            file.create_dataset('scale', (2, ), 'f8',
                                external=[(other, 0, 16)])
        elif kind == 'virtual':
            layout = h5py.VirtualLayout((2, ), 'f8')
            layout[:] = h5py.VirtualSource(other, 'scale', (2, ))
            file.create_virtual_dataset('scale', layout)
        elif kind == 'huge':  # in a file of a few kilobytes
            file.create_dataset('scale', (1 << 50, ), 'f8', chunks=(1024, ))
        elif kind == 'group':
            file.create_group('scale')
        else:
            file['scale'] = h5py.ExternalLink(other, 'scale')
    refused(lambda path: read_newell_h5(path, MPII), path, 'scale')


def encoded(name):
    return np.array([b'a.jpg', str(name).encode('utf-8', 'surrogatepass')])


@pytest.mark.parametrize('kind, change, place', [
    ('people', lambda name: dict(image=name), 'entry 1'),
    ('cpm', lambda name: {'img_paths': name}, 'entry 1'),
    ('coco', lambda name: {'images.0.file_name': name}, 'images[0]'),
    ('h5', lambda name: dict(imgname=encoded(name)), 'row 1'),
    ('image', lambda name: (name, mpii_person(POINTS)), 'image 2, person 1')])
@pytest.mark.parametrize('name', [
    '../a.jpg', 'x/../../a.jpg', '..', 'x\\..\\a.jpg', '/etc/a.jpg',
    'C:\\a.jpg', 'C:a.jpg', '\\\\host\\a.jpg', 'http://host/a.jpg',
    'a\0.jpg', 'a\n.jpg', 'caf\udce9.jpg', '\ud800.jpg', ' ', 3, None])
def test_images_outside_of_their_folder(name, kind, change, place, tmp_path):
    """In every kind of annotation file, with file and entry."""
    text = name if isinstance(name, str) else '\0'
    if (kind in ('h5', 'image') and '\0' in text) or (
            kind == 'image' and not (text.strip() and text.isascii())):
        pytest.skip('cannot be written')
    write, read = FILES[kind]
    refused(read, write(tmp_path, change(name)), place)


def test_names_below_the_folder(tmp_path):
    for name in ('a.jpg', 'a b/\u4eba.jpg', './a..b.jpg', '...jpg'):
        check_image_name(name)
    inside = str(tmp_path / 'images' / 'a.jpg')
    check_image_name(inside, str(tmp_path / 'images'))
    check_image_name(inside, '/')
    for folder in (str(tmp_path / 'image'), None):
        with pytest.raises(ValueError):
            check_image_name(inside, folder)
