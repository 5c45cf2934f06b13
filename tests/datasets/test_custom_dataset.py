"""Custom keypoints in COCO's format: records, marks and image sizes."""
import numpy as np
import pytest
from mmpose.registry import METRICS
from pose_files import DOG_COCO, DOG_METAINFO

from hourglass_plugin.datasets.custom_dataset import CustomKeypointDataset
from hourglass_plugin.transforms.image_io import UnreadableImageError
from hourglass_plugin.visualization import save_image


def named(*names):
    """The metainfo with keypoints of other names and no swaps."""
    return dict(DOG_METAINFO, skeleton_info={}, keypoint_info={
        index: dict(name=name) for index, name in enumerate(names)})


def test_a_record(build, tmp_path):
    record = build({}, test_mode=True).get_data_info(0)
    assert record['img_path'] == str(tmp_path / 'a.jpg')
    assert record['annotated_size'] == (100, 80)
    assert record['bbox'].tolist() == [[10, 20, 40, 60]]
    assert record['keypoints'].tolist() == [[[12, 22], [0, 0], [30, 50.5]]]
    assert record['keypoints_visible'].tolist() == [[1, 0, 1]]


@pytest.mark.parametrize('size, fits', [((100, 80), True), ((80, 100), True),
                                        ((100, 79), False)])
def test_images_of_another_size_are_rejected(size, fits, build, tmp_path):
    """MMPose cuts boxes to the size in the file; a camera may be turned."""
    dataset = build(size=None, pipeline=[
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownCrop', input_size=(32, 32)),
        dict(type='PackPoseInputs')])
    save_image(tmp_path / 'a.jpg', np.zeros((size[1], size[0], 3), np.uint8))
    if fits:
        assert dataset[0]['inputs'].shape == (3, 32, 32)
        return
    with pytest.raises(UnreadableImageError) as raised:
        dataset[0]
    assert raised.value.path == str(tmp_path / 'a.jpg')


@pytest.mark.parametrize('change', [
    dict(iscrowd=1), dict(keypoints=None), dict(iscrowd=1, keypoints=[]),
    dict(keypoints=[12, 22, 0] * 3), dict(keypoints=[], bbox=[0, 0, 0, 0])])
def test_unusable_annotations_are_dropped(change, build, tmp_path):
    annotation = dict(DOG_COCO['annotations'][0], **change)
    with pytest.raises(ValueError, match='a.json'):
        build(dict(annotations=[annotation]))
    both = [*DOG_COCO['annotations'], dict(annotation, id=2)]
    assert len(build(dict(annotations=both))) == 1


@pytest.mark.parametrize('marks, visible', [
    ([2, 0, 1], [True, False, False]), ([2, 0, 2], None), ([1, 0, 1], None)])
def test_visible_keypoints_where_a_file_has_both_marks(marks, visible, build):
    changes = {f'annotations.0.keypoints.{3 * index + 2}': mark
               for index, mark in enumerate(marks)}
    record = build(changes, test_mode=True).get_data_info(0)
    np.testing.assert_equal(record['raw_ann_info'].get('visible'), visible)


@pytest.mark.parametrize('names, flipped', [
    (('nose', 'left_ear', 'right_ear'), [0, 2, 1]),
    (('LeftEar', 'tail', 'RightEar'), [2, 1, 0]),
    (('L_paw', 'l_ear', 'R_paw'), [2, 1, 0]),
    (('earL', 'earR', 'Lens'), [1, 0, 2]),
    (('EAR-left', 'EAR-right', 'bright'), [1, 0, 2]),
    (('lip', 'left_ear', 'rear'), [0, 1, 2])])
def test_swaps_are_found_from_names(names, flipped, build):
    assert build({}, named(*names)).metainfo['flip_indices'] == flipped


def test_a_swap_that_is_given_stays(build):
    metainfo = named('nose', 'left_ear', 'right_ear')
    for name, index in (('left_ear', 1), ('right_ear', 2)):
        metainfo['keypoint_info'][index]['swap'] = name
    assert build({}, metainfo).metainfo['flip_indices'] == [0, 1, 2]
    assert 'swap' not in metainfo['keypoint_info'][0]


def test_metainfo_from_a_file(build, tmp_path):
    (tmp_path / 'dogs.py').write_text(f'dataset_info = {DOG_METAINFO!r}')
    metainfo = build({}, dict(from_file=str(tmp_path / 'dogs.py'))).metainfo
    assert metainfo['keypoint_id2name'][2] == 'right_ear'
    coco = CustomKeypointDataset(lazy_init=True, metainfo=dict(
        from_file='configs/_base_/datasets/coco.py')).metainfo
    assert coco['num_keypoints'] == 17  # MMPose's own
    with pytest.raises(FileNotFoundError):
        build({}, dict(from_file='none.py'))


def test_coco_metric_scores_what_is_read(build, tmp_path):
    """Names in another order, no count, area or crowd mark in the file."""
    changes = {f'annotations.0.{name}': None
               for name in ('num_keypoints', 'area', 'iscrowd')}
    changes['categories.0.keypoints'] = ['right_ear', 'nose', 'left_ear']
    dataset = build(changes, dict(DOG_METAINFO, sigmas=[0.05] * 3),
                    test_mode=True)
    metric = METRICS.build(dict(type='CocoMetric'))
    metric.dataset_meta = dataset.metainfo
    record = dataset.get_data_info(0)
    metric.process({}, [dict(
        record, ori_shape=(80, 100), gt_instances=dict(
            bbox_scores=np.ones(1), bboxes=record['bbox'],
            bbox_scales=np.array([[30.0, 40.0]])),
        pred_instances=dict(keypoints=record['keypoints'],
                            keypoint_scores=np.ones((1, 3))))])
    assert metric.evaluate(1)['coco/AP'] == pytest.approx(1)
