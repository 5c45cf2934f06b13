"""Drawn shapes: boxes, COCO's files."""
import cv2
import numpy as np
from pycocotools.coco import COCO
from synthetic import Settings
from synthetic_shapes import CLASSES, DATASET, box_of, make_sample


def test_a_box_is_as_wide_as_its_pixels():
    mask = np.zeros((6, 9), bool)
    mask[2, 3] = True
    assert box_of(mask) == [3, 2, 1, 1]
    # Columns 3 to 7 are five, rows 2 to 4 three.
    mask[4, 7] = True
    assert box_of(mask) == [3, 2, 5, 3]
    assert box_of(np.ones((6, 9), bool)) == [0, 0, 9, 6]


def test_coco_files_contain_the_samples(tmp_path):
    list(DATASET.write(tmp_path / 'shapes', Settings(5, 3, 7)))
    for split, count in (('train', 5), ('val', 3)):
        coco = COCO(str(tmp_path / f'shapes/annotations/{split}.json'))
        assert sorted(coco.imgs) == list(range(1, count + 1))
        assert [each['name']
                for each in coco.dataset['categories']] == list(CLASSES)
        ids = [each['id'] for each in coco.dataset['annotations']]
        assert ids == list(range(1, len(ids) + 1))
        for index in range(count):
            drawn, sample = make_sample(7, split, index)
            record = coco.imgs[index + 1]
            image = cv2.imread(
                str(tmp_path / 'shapes/images' / record['file_name']))
            assert image.shape[:2] == (record['height'], record['width'])
            # JPEG of quality 90 keeps noise and edges roughly.
            assert np.abs(image.astype(float) - drawn).mean() < 8
            found = [
                [each[key] for key in ('category_id', 'bbox', 'area')]
                for each in coco.imgToAnns[index + 1]]
            assert found == [
                [label + 1, box_of(mask), mask.sum()]
                for label, mask in zip(sample['labels'], sample['masks'])]
