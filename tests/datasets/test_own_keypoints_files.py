"""What is wrong with own keypoints is named before anything is built."""
import copy
import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from hourglass_plugin.datasets.custom_dataset import (
    CustomKeypointDataset,
    check_coco_file,
    check_metainfo,
)
from hourglass_plugin.visualization import save_image, skeleton_from_metainfo

METAINFO = dict(
    dataset_name='dogs',
    keypoint_info={
        0: dict(name='nose', swap=''),
        1: dict(name='left_ear', swap='right_ear'),
        2: dict(name='right_ear', swap='left_ear'),
    },
    skeleton_info={0: dict(link=('nose', 'left_ear'))},
    joint_weights=[1.0] * 3,
    sigmas=[])

CONTENT = dict(
    images=[dict(id=7, file_name='a.jpg', width=100, height=80)],
    annotations=[
        dict(
            id=1,
            image_id=7,
            category_id=1,
            bbox=[10, 20, 30, 40],
            keypoints=[12, 22, 2, 0, 0, 0, 30, 50.5, 1])
    ],
    categories=[dict(id=1, name='dog')])


def changed(source, path, value):
    """A copy with the value at a path of keys replaced, or removed."""
    result = copy.deepcopy(source)
    *parents, last = path
    part = result
    for key in parents:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return result


@pytest.mark.parametrize('path, value, message', [
    (['sigmas'], None, "lacks 'sigmas'"),
    (['keypoint_info', 2], None, "'left_ear' has swap='right_ear'"),
    (['keypoint_info', 0], None, 'numbered 0, 1, 2'),
    (['keypoint_info', 1, 'name'], 'nose', "of its own, but has 'nose'"),
    (['keypoint_info', 2, 'swap'], None, 'give both their swap'),
    (['keypoint_info', 2, 'swap'], 'nose', 'give both their swap'),
    (['skeleton_info', 0, 'link'], ('nose', 'tail'), "links .*'tail'"),
    (['joint_weights'], [1.0], '1 numbers for 3'),
    (['sigmas'], [1.0], '1 numbers for 3'),
])
def test_wrong_metainfo_is_named(path, value, message):
    check_metainfo(METAINFO)
    with pytest.raises(ValueError, match=message):
        check_metainfo(changed(METAINFO, path, value))


@pytest.mark.parametrize('path, value, message', [
    (['categories'], None, 'categories is missing'),
    (['images', 0, 'width'], None, r'images\[0\] lacks width'),
    (['annotations', 0, 'bbox'], None, r'annotations\[0\] lacks bbox'),
    (['annotations', 0, 'bbox'], [1, 2, 3], r'\[0\] \(id 1\): bbox must be'),
    (['annotations', 0, 'image_id'], 8, 'no image with the id 8'),
    (['annotations', 0, 'image_id'], [7], r'no image with the id \[7\]'),
    (['annotations', 0, 'category_id'], 2, 'no category with the id 2'),
    (['annotations', 0, 'category_id'], [1], r'no category with the id \[1\]'),
    # Python's True is equal to 1, and to the category's id.
    (['annotations', 0, 'category_id'], True, 'no category with the id True'),
    (['annotations', 0, 'id'], True, r'annotations\[0\]: the id must .* True'),
    (['images', 0, 'width'], 0, 'must be positive whole numbers, but are 0'),
    (['images', 0, 'height'], 80.5, 'but are 100 and 80.5'),
    (['annotations', 0, 'iscrowd'], '0', "iscrowd must be 0 or 1 .* is '0'"),
    (['annotations', 0, 'iscrowd'], 2, 'iscrowd must be 0 or 1 .* is 2'),
    (['annotations', 0, 'area'], 'large', "area must be a .* is 'large'"),
    (['annotations', 0, 'area'], float('inf'), 'area must be a number or'),
    # More than a float holds; JSON's numbers have any length.
    (['annotations', 0, 'area'], 10**400, 'area must be a number or'),
    (['annotations', 0, 'bbox'], [10**400, 1, 2, 3], 'bbox must be'),
    (['annotations', 0, 'num_keypoints'], {}, 'num_keypoints must be a num'),
    (['annotations', 0, 'keypoints'], [1, 2, 2] * 4, '3 keypoints .* 9 num'),
    (['annotations', 0, 'keypoints'], [float('nan')] * 9, '9 numbers'),
    (['annotations', 0, 'keypoints'], [[1, 2, 2]] * 3, '9 numbers, but are'),
    (['annotations', 0, 'keypoints'], [1, 2, 2, 1, 2, 7, 1, 2, 0],
     r'\(id 1\): v of keypoint 1 must be 0 .* is 7'),
    (['annotations', 0, 'keypoints'], [1, 2, 0.5] * 3, 'keypoint 0 .* is 0.5'),
    # Pixels reach from 0 to 99 and 79.
    (['annotations', 0, 'bbox'], [99, 20, 30, 40], 'no part in the image'),
    (['annotations', 0, 'bbox'], [10, -40, 30, 40], "'a.jpg', 100 x 80 pixel"),
    (['images', 0, 'id'], '7', r"images\[0\]: the id must be a whole .* '7'"),
    (['images'], CONTENT['images'] * 2, r'images\[1\]: the id 7 is there'),
])
def test_a_wrong_file_is_named(tmp_path, path, value, message):
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(CONTENT))
    check_coco_file(str(file), 3, 'images')
    file.write_text(json.dumps(changed(CONTENT, path, value)))
    with pytest.raises(ValueError, match=f'a.json.*{message}'):
        check_coco_file(str(file), 3, 'images')


def test_keypoints_that_are_null_are_named(tmp_path):
    """None at all are those of an annotation that is left out."""
    content = copy.deepcopy(CONTENT)
    content['annotations'][0]['keypoints'] = None
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r'\(id 1\): keypoints .* are None'):
        check_coco_file(str(file), 3, 'images')
    del content['annotations'][0]['keypoints']
    file.write_text(json.dumps(content))
    check_coco_file(str(file), 3, 'images')


@pytest.mark.parametrize('box', [[98, 20, 30, 40], [-29, -39, 30, 40],
                                 [500, 500, 0, 0]])
def test_boxes_with_a_part_in_the_image_or_without_an_area(box, tmp_path):
    """What has no area is left out, and counted."""
    file = tmp_path / 'a.json'
    file.write_text(
        json.dumps(changed(CONTENT, ('annotations', 0, 'bbox'), box)))
    check_coco_file(str(file), 3, 'images')


@pytest.mark.parametrize('size, is_right', [((100, 80), True),
                                            ((80, 100), True),
                                            ((100, 79), False)])
def test_images_of_another_size_are_named(size, is_right, tmp_path):
    """MMPose cuts boxes to the size in the file; a camera may be turned."""
    init_default_scope('mmpose')
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(CONTENT))
    save_image(tmp_path / 'a.jpg', np.zeros((size[1], size[0], 3), np.uint8))
    dataset = CustomKeypointDataset(
        metainfo=METAINFO,
        ann_file=str(file),
        data_prefix=dict(img=str(tmp_path)),
        pipeline=[
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownCrop', input_size=(32, 32)),
            dict(type='PackPoseInputs')
        ])
    if is_right:
        assert dataset[0]['inputs'].shape == (3, 32, 32)
        return
    with pytest.raises(
            ValueError,
            match='it has 100 x 79 pixels, but width and height in the '
            'annotation file are 100 x 80, .*: correct them` occurs when '
            'loading .*a.jpg`, sample 0 of .*a.json'):
        dataset[0]


def test_a_file_of_which_nothing_can_be_used(tmp_path):
    file = tmp_path / 'a.json'
    file.write_text(
        json.dumps(changed(CONTENT, ['annotations', 0, 'iscrowd'], 1)))
    with pytest.raises(ValueError, match='none of the 1 annotations'):
        CustomKeypointDataset(metainfo=METAINFO, ann_file=str(file))


def test_a_left_keypoint_may_be_alone_in_pictures():
    skeleton = skeleton_from_metainfo(
        dict(
            dataset_name='crabs',
            keypoint_id2name={
                0: 'left_claw',
                1: 'eye'
            },
            skeleton_links=[(0, 1)]))
    assert skeleton.joints == ('left_claw', 'eye')
    assert skeleton.limb_indices == [(0, 1)]


@pytest.mark.parametrize('marks, visible', [
    ([2, 0, 1], [True, False, False]),
    ([2, 0, 2], None),
    ([1, 0, 1], None),
])
def test_hidden_keypoints_are_told_where_a_file_has_both_marks(
        marks, visible, tmp_path):
    keypoints = CONTENT['annotations'][0]['keypoints'].copy()
    keypoints[2::3] = marks
    file = tmp_path / 'dogs.json'
    file.write_text(
        json.dumps(
            changed(CONTENT, ('annotations', 0, 'keypoints'), keypoints)))
    dataset = CustomKeypointDataset(
        metainfo=METAINFO, ann_file=str(file), test_mode=True)
    told = dataset.get_data_info(0)['raw_ann_info'].get('visible')
    assert (told if told is None else told.tolist()) == visible
