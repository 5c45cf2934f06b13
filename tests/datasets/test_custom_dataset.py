"""Custom keypoints in COCO's format: records, marks and image sizes."""
import numpy as np
import pytest
from pose_files import DOG_COCO, DOG_METAINFO, changed, write_json

from hourglass_plugin.datasets.custom_dataset import CustomKeypointDataset
from hourglass_plugin.transforms.image_io import UnreadableImageError
from hourglass_plugin.visualization import save_image


@pytest.fixture
def build(tmp_path):
    def build(changes, **options):
        path = write_json(tmp_path / 'a.json', changed(DOG_COCO, changes))
        return CustomKeypointDataset(
            metainfo=DOG_METAINFO,
            ann_file=str(path),
            data_prefix=dict(img=str(tmp_path)),
            **options)

    return build


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
    save_image(tmp_path / 'a.jpg', np.zeros((size[1], size[0], 3), np.uint8))
    dataset = build({}, pipeline=[
        dict(type='GetBBoxCenterScale'),
        dict(type='TopdownCrop', input_size=(32, 32)),
        dict(type='PackPoseInputs')])
    if fits:
        assert dataset[0]['inputs'].shape == (3, 32, 32)
        return
    with pytest.raises(UnreadableImageError) as raised:
        dataset[0]
    assert raised.value.path == str(tmp_path / 'a.jpg')


@pytest.mark.parametrize('change', [
    dict(iscrowd=1), dict(num_keypoints=0, keypoints=[0] * 9),
    dict(bbox=[50, 50, 0, 0])])
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
