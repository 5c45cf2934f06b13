"""BoxPCKMetric, also of a custom dataset."""
import json

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


@pytest.mark.parametrize('box, size', [((2, 3, 2.5, 3.25), 0.5),
                                       ((2, 3, 2.25, 3.5), 0.5),
                                       ((2, 3, 2, 3), np.nan)])
def test_larger_side_of_the_box(box, size):
    person = dict(gt_instances=dict(bboxes=np.array([box])))
    metric = METRICS.build(dict(type='BoxPCKMetric'))
    np.testing.assert_equal(metric.person_size(person), size)


@pytest.fixture
def birds(tmp_path):
    """COCO-style annotations of two birds in a picture of 100 x 80."""
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((80, 100, 3), np.uint8))
    keypoints = [20, 20, 2, 30, 30, 1, 40, 30, 2, 50, 50, 0]
    boxes = [[10, 10, 40, 20], [80, 10, 40, 30]]
    (tmp_path / 'birds.json').write_text(
        json.dumps(
            dict(
                images=[dict(id=1, file_name='a.png', width=100, height=80)],
                categories=[dict(id=1, name='bird')],
                annotations=[
                    dict(
                        id=index,
                        image_id=1,
                        category_id=1,
                        keypoints=keypoints,
                        num_keypoints=3,
                        bbox=box) for index, box in enumerate(boxes)
                ])))
    names = ('beak', 'left_wing', 'right_wing', 'tail')
    swap = dict(left_wing='right_wing', right_wing='left_wing')
    return DATASETS.build(
        dict(
            type='CocoDataset',
            data_root=str(tmp_path),
            ann_file='birds.json',
            data_prefix=dict(img=''),
            test_mode=True,
            metainfo=dict(
                dataset_name='birds',
                paper_info=dict(),
                keypoint_info={
                    index: dict(
                        name=name,
                        id=index,
                        color=[0, 0, 0],
                        type='',
                        swap=swap.get(name, ''))
                    for index, name in enumerate(names)
                },
                skeleton_info={},
                joint_weights=[1.0] * 4,
                sigmas=[0.1] * 4),
            pipeline=[
                dict(type='LoadImage'),
                dict(type='GetBBoxCenterScale', padding=1.25),
                dict(type='TopdownAffine', input_size=(64, 64)),
                dict(type='PackPoseInputs')
            ]))


def test_box_pck_of_a_custom_dataset(birds, capsys):
    """Boxes of 40 x 20, and of 19 x 30 once MMPose has cut it to the image
    (its last column is 99): larger sides 40 and 30, whatever the padding."""
    samples = []
    for index in range(2):
        person = birds[index]['data_samples'].to_dict()
        keypoints = person['gt_instances']['keypoints'].copy()
        keypoints[0, 2, 1] += 4.0  # 0.1 of 40, more of 30
        person['pred_instances'] = dict(keypoints=keypoints)
        samples.append(person)
    metric = METRICS.build(dict(type='BoxPCKMetric'))
    metric.dataset_meta = birds.metainfo
    metric.process(None, samples)
    scores = metric.evaluate(2)
    assert scores['birds/BoxPCK@0.2'] == 100
    assert scores['birds/BoxPCK@0.1'] == pytest.approx(100 * 5 / 6)
    assert scores['birds/BoxPCK@0.1/wing'] == 75  # left 2 of 2, right 1 of 2
    assert scores['birds/BoxPCK@0.05/wing'] == 50
    assert scores['birds/BoxPCK@0.05/beak'] == 100
    assert 'birds/BoxPCK@0.2/tail' not in scores
    assert 'birds/BoxPCK_AUC' in scores
