"""Malformed annotation files: each error names file and entry."""
import numpy as np
import pytest
from matlab_files import (
    EMPTY,
    cell_array,
    mpii_person,
    mpii_point,
    struct_array,
    write_head_boxes,
    write_official_mpii,
)
from newell_files import newell_rows, write_newell_h5
from pose_files import DOG_COCO, DOG_METAINFO, changed, entry, write_json
from scipy.io import savemat

from hourglass_plugin.datasets.custom_dataset import (
    check_coco_file,
    check_metainfo,
)
from hourglass_plugin.datasets.readers.flic import read_flic
from hourglass_plugin.datasets.readers.lsp import read_lsp
from hourglass_plugin.datasets.readers.mpii import read_mpii
from hourglass_plugin.datasets.readers.mpii_ground_truth import (
    read_mpii_ground_truth,
)
from hourglass_plugin.datasets.readers.newell_h5 import read_newell_h5
from hourglass_plugin.datasets.readers.pose_json import read_pose_json
from hourglass_plugin.skeletons import LSP, MPII

NAN, INF = float('nan'), float('inf')
POINTS = [mpii_point(joint, 10 + joint, 20) for joint in range(16)]
EXAMPLE = dict(
    coords=np.arange(58.0).reshape(2, 29),
    filepath='a.jpg',
    imgdims=np.array([[480, 720, 3]]),
    torsobox=np.array([[201.5, 90, 298.5, 230]]),
    istrain=np.array([[0]]),
    istest=np.array([[1]]))
CPM = dict(
    img_paths='a.jpg',
    objpos=[60, 70],
    scale_provided=1.5,
    joint_self=[[9 + joint, 9, 1] for joint in range(16)],
    isValidation=0)


def read_json(folder, changes):
    second = {
        key: value
        for key, value in entry(LSP, **changes).items() if value != 'absent'
    }
    read_pose_json(
        write_json(folder / 'a.x', [entry(LSP), second]), LSP, first_pixel=0)


def read_cpm(folder, changes):
    path = write_json(folder / 'a.x', [CPM, changed(CPM, changes)])
    read_mpii(path, 'train')


def read_h5(folder, changes):
    rows = dict(newell_rows(2, 16), **changes)
    read_newell_h5(
        write_newell_h5(folder / 'a.x', {
            name: row for name, row in rows.items() if row is not None}), MPII)


def read_examples(folder, changes):
    savemat(folder / 'a.x.mat',
            dict(examples=struct_array([EXAMPLE, {**EXAMPLE, **changes}])))
    read_flic(folder / 'a.x.mat', 'test')


def read_joints(folder, joints):
    savemat(folder / 'a.x.mat', dict(joints=joints))
    read_lsp(folder / 'a.x.mat')


def read_truth(folder, changes):
    read_mpii_ground_truth(
        write_head_boxes(folder / 'a.x', [entry(MPII, n) for n in range(3)],
                         [[[10, 10], [13 + n, 14]] for n in range(3)],
                         **changes))


def read_person(folder, person):
    good = mpii_person(POINTS)
    images = [('a.jpg', 1, [], []), ('b.jpg', 1, [good, person], [])]
    read_mpii(write_official_mpii(folder / 'a.x', images))


def read_release(folder, changes):
    images = [(name, 0, [mpii_person(POINTS)], [1]) for name in 'ab']
    path = write_official_mpii(folder / 'a.x', images, **changes)
    read_mpii(path, 'test')


def read_coco(folder, changes):
    path = write_json(folder / 'a.x', changed(DOG_COCO, changes))
    check_coco_file(str(path), 3, 'images')


def read_metainfo(folder, changes):
    check_metainfo(changed(DOG_METAINFO, changes))


def lsp_joints(extended=False, **changes):
    """Joints of two people; ``changes`` at joint 6 of the last."""
    joints = np.ones((14, 3, 2)) + np.arange(14)[:, None, None]
    joints[:, 2] = extended
    for axis, value in changes.items():
        joints[6, 'xyv'.index(axis), 1] = value
    return joints if extended else joints.transpose(1, 0, 2)


KEYPOINTS = 'annotations.0.keypoints'
#: (reader, change, place that the error names)
CASES = [
    *((read_json, change, 'entry 1') for change in (
        dict(scale=0), dict(scale=-1.0), dict(scale=NAN), dict(scale=0.004),
        dict(scale=1e5), dict(scale='large'), dict(center=[1.0]),
        dict(center=[INF, 0]), dict(center=[1e30, 5]), dict(center='absent'),
        dict(joints=[[1, 2]] * 13), dict(joints=[[NAN, 2]] * 14),
        dict(joints=[[1, 2], [3]]), dict(joints=None),
        dict(joints_vis=[1] * 15), dict(joints_vis=[1] * 13 + [None]),
        dict(joints_vis=[NAN] * 14), dict(joints_vis=['1'] * 14),
        dict(joints_vis=[1, 2] * 7), dict(joints_vis=1),
        dict(joints_visible=[None] * 14), dict(joints_visible=[1] * 13),
        dict(head_size=True), dict(head_size=0), dict(head_size=1e6 + 1),
        dict(torso_size=1e300), dict(image=None), dict(image=''),
        dict(image='../a.jpg'), dict(official_index=[4]),
        dict(official_index=[4, 0.5]), dict(official_index=7))),
    *((read_cpm, change, 'entry 1') for change in (
        dict(isValidation=None), dict(img_paths=None), {'joint_self.3': [1]},
        dict(joint_self=[[1, 2, 1]] * 14), dict(scale_provided=[1]))),
    *((read_h5, change, place) for change, place in (
        (dict(part=np.ones((2, 14, 2))), 'row 0'),
        ({'part': None, 'part/inside': np.ones((2, 16, 2))}, 'part'),
        (dict(part=np.array([b'a', b'b'])), 'a.x'),
        (dict(part=np.float64(1)), 'part'),
        (dict(center=np.ones((3, 2))), 'center'),
        (dict(visible=np.ones((2, 14))), 'row 0'),
        (dict(imgname=np.array([b'a.jpg'])), 'imgname'),
        (dict(imgname=np.array([1.0, 2.0])), 'row 0'),
        (dict(imgname=np.array([[97.0, 98.0], [97.0, 0.5]])), 'row 1'),
        (dict(imgname=np.array([[97.0, 98.0], [97.0, NAN]])), 'row 1'),
        (dict(imgname=np.array([[97.0], [2.0**21]])), 'row 1'),
        (dict(imgname=np.array([b'a.jpg', b'caf\xe9.jpg'])), 'row 1'),
        (dict(scale=np.array([1, 0])), 'row 1'),
        (dict(scale=np.array([1, NAN])), 'row 1'),
        (dict(center=np.array([[1, 2], [NAN, 3]])), 'row 1'),
        (dict(visible=np.full((2, 16), 0.5)), 'row 0'),
        (dict(index=np.array([1, 0.5])), 'row 1'),
        (dict(person=np.array([1, -1])), 'row 1'),
        (dict(part=np.full((2, 16, 2), NAN)), 'row 0'),
        (dict(part=np.full((2, 16, 2), INF), visible=np.zeros((2, 16))),
         'row 0'),
        (dict(normalize=np.array([1, 1e7])), 'row 1'))),
    *((read_examples, change, 'row 1') for change in (
        dict(filepath=EMPTY), dict(coords=EMPTY), dict(coords='none'),
        dict(coords=np.zeros((29, 2))), dict(torsobox=np.ones((1, 3))),
        dict(torsobox=np.full((1, 4), NAN)), dict(istest=EMPTY),
        dict(coords=np.full((2, 29), INF)))),
    *((read_joints, joints, place) for joints, place in (
        (np.zeros((4, 14, 3)), 'joints'), (np.zeros((14, 14, 3)), 'joints'),
        (np.zeros(7), 'joints'), ('text', 'joints'),
        (lsp_joints(v=2), 'joint 6 of person 1'),
        (lsp_joints(v=NAN), 'joint 6 of person 1'),
        (lsp_joints(x=NAN), 'joint 6 of person 1'),
        (lsp_joints(y=INF), 'joint 6 of person 1'),
        (lsp_joints(True, v=2), 'joint 6 of person 1'),
        (lsp_joints(True, x=-INF), 'joint 6 of person 1'),
        (lsp_joints(True, y=NAN), 'joint 6 of person 1'))),
    *((read_truth, change, place) for change, place in (
        (dict(pos_gt_src=None), 'pos_gt_src'),
        (dict(jnt_missing=None, headboxes_src=None), 'jnt_missing'),
        (dict(pos_gt_src=np.ones((2, 16, 3))), 'pos_gt_src'),
        (dict(headboxes_src=np.ones((2, 2, 4))), 'headboxes_src'),
        (dict(jnt_missing=np.zeros((3, 16))), 'a.x'),
        (dict(pos_gt_src='none'), 'pos_gt_src'),
        (dict(jnt_missing=np.zeros((16, 0))), 'a.x'),
        (dict(headboxes_src=np.ones((2, 2, 3))), 'person 0'),
        (dict(pos_gt_src=np.full((16, 2, 3), NAN)), 'person 0'),
        (dict(headboxes_src=np.full((2, 2, 3), [[[1e200]], [[0]]])),
         'person 0'),
        (dict(jnt_missing=np.full((16, 3), [0, 0.5, 0])), 'person 1'),
        (dict(jnt_missing=np.full((16, 3), NAN)), 'person 0'))),
    *((read_person, person, 'image 2, person 2') for person in (
        mpii_person([mpii_point(16, 1, 1)]), mpii_person(POINTS, scale=-1.0),
        mpii_person(POINTS, scale='big'),
        mpii_person([mpii_point(1, np.array([[1, 2]]), 1)]),
        mpii_person([mpii_point(1, INF, 1)]))),
    *((read_release, change, place) for change, place in (
        (dict(annolist=EMPTY), 'annolist'), (dict(annolist=None), 'annolist'),
        (dict(img_train=None), 'img_train'),
        (dict(img_train=np.ones((1, 3))), 'img_train'),
        (dict(single_person=cell_array([EMPTY])), 'single_person'))),
    *((read_metainfo, change, place) for change, place in (
        ({'sigmas': None}, 'sigmas'), ({'keypoint_info.2': None}, 'right_ear'),
        ({'keypoint_info.0': None}, 'keypoint_info'),
        ({'keypoint_info.1.name': 'nose'}, 'nose'),
        ({'keypoint_info.2.swap': None}, 'right_ear'),
        ({'keypoint_info.2.swap': 'nose'}, 'nose'),
        ({'skeleton_info.0.link': ('nose', 'tail')}, 'tail'),
        ({'joint_weights': [1.0]}, 'joint_weights'),
        ({'sigmas': [1.0]}, 'sigmas'))),
    *((read_coco, change, place) for change, place in (
        ({'categories': None}, 'categories'),
        ({'images.0.width': None}, 'images[0]'),
        ({'images.0.width': 0}, 'images[0]'),
        ({'images.0.height': 80.5}, 'images[0]'),
        ({'images.0.id': '7'}, 'images[0]'),
        ({'images.0.file_name': '../a.jpg'}, 'images[0]'),
        ({'images': DOG_COCO['images'] * 2}, 'images[1]'))),
    *((read_coco, {f'annotations.0.{key}': value}, 'annotations[0]')
      for key, value in (
          ('bbox', None), ('bbox', [1, 2, 3]), ('bbox', [10**400, 1, 2, 3]),
          # Pixels reach from 0 to 99 and 79.
          ('bbox', [99, 20, 30, 40]), ('bbox', [10, -40, 30, 40]),
          ('image_id', 8), ('image_id', [7]), ('category_id', 2),
          # Python's True is equal to 1, and to the category's id.
          ('category_id', [1]), ('category_id', True), ('id', True),
          ('iscrowd', '0'), ('iscrowd', 2), ('area', 'large'), ('area', INF),
          # More than a float holds; JSON's numbers have any length.
          ('area', 10**400), ('num_keypoints', {}),
          ('keypoints', [1, 2, 2] * 4), ('keypoints', [NAN] * 9),
          ('keypoints', [[1, 2, 2]] * 3), ('keypoints', 0),
          ('keypoints', [1, 2, 2, 1, 2, 7, 1, 2, 0]),
          ('keypoints', [1, 2, 0.5] * 3))),
]


@pytest.mark.parametrize('read, change, place', CASES)
def test_errors_name_file_and_entry(read, change, place, tmp_path):
    with pytest.raises(ValueError) as raised:
        read(tmp_path, change)
    message = str(raised.value)
    assert place in message and '\n' not in message
    if read is not read_metainfo:
        assert message.count(str(tmp_path / 'a.x')) == 1


@pytest.mark.parametrize('read, unchanged', [
    (read_json, {}), (read_cpm, {}), (read_h5, {}), (read_examples, {}),
    (read_joints, lsp_joints()), (read_joints, lsp_joints(True)),
    (read_truth, {}), (read_person, mpii_person(POINTS)), (read_release, {}),
    (read_metainfo, {}), (read_coco, {}), (read_coco, {KEYPOINTS: None}),
    # A part in the image, or no area, which is dropped and counted.
    (read_coco, {'annotations.0.bbox': [98, 20, 30, 40]}),
    (read_coco, {'annotations.0.bbox': [-29, -39, 30, 40]}),
    (read_coco, {'annotations.0.bbox': [500, 500, 0, 0]})])
def test_the_unchanged_files_are_read(read, unchanged, tmp_path):
    read(tmp_path, unchanged)


@pytest.mark.parametrize('read', [
    read_mpii, read_flic, read_lsp,
    read_mpii_ground_truth,
    lambda path: read_newell_h5(path, MPII),
    lambda path: read_pose_json(path, LSP, 0),
    lambda path: check_coco_file(str(path), 3, '')])
@pytest.mark.parametrize('content', [
    None, b'', b'hello', b'\x00\x01', b'PK\x03\x04', b'MATLAB 5.0',
    b'\x89HDF\r\n\x1a\n', b'[{"image": ', b'{"images": []}'])
@pytest.mark.parametrize('suffix', ['.mat', '.h5', '.json'])
def test_other_files_are_rejected(read, content, suffix, tmp_path):
    path = tmp_path / f'a{suffix}'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
            FileNotFoundError if content is None else ValueError) as raised:
        read(path)
    assert str(path) in str(raised.value)
