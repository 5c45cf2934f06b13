"""Drawn shapes: masks and boxes, COCO's files."""
import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from synthetic import Settings
from synthetic_shapes import CLASSES, DATASET, box_of, make_sample


@pytest.fixture(scope='module')
def samples():
    return [make_sample(1, 'train', index) for index in range(120)]


def test_a_box_is_as_wide_as_its_pixels():
    mask = np.zeros((6, 9), bool)
    mask[2, 3] = True
    assert box_of(mask) == [3, 2, 1, 1]
    # Columns 3 to 7 are five, rows 2 to 4 three.
    mask[4, 7] = True
    assert box_of(mask) == [3, 2, 5, 3]
    assert box_of(np.ones((6, 9), bool)) == [0, 0, 9, 6]


def test_masks_are_apart_and_drawn_and_most_of_each_shape_is_visible(samples):
    hidden, differences = 0, []
    for image, sample in samples:
        masks = sample['masks']
        assert 1 <= len(sample['labels']) == len(masks) <= 5
        assert masks.sum(0).max() == 1
        for mask in masks:
            points = np.argwhere(mask)[:, ::-1].astype(np.int32)
            # Shapes are convex: a dent is where another lies in front. A hull
            # through pixels' centres has less than their area.
            hidden += cv2.contourArea(
                cv2.convexHull(points)) > 1.02 * mask.sum()
            around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
            around &= ~masks.any(0)
            if around.any():
                differences.append(
                    np.abs(image[mask].mean(0) - image[around].mean(0)).max())
    assert hidden > 10
    # Of 256 steps; noise and clouds are a few.
    assert np.median(differences) > 40


def test_shapes_are_what_their_labels_say(samples):
    """Compare the share of its box that a whole shape fills with geometry.

    A disc fills pi / 4. The corners of a triangle touch the box, whose half
    it has at most. Of w x h a rectangle turned by t fills w h / ((w cos t +
    h sin t) (w sin t + h cos t)), at least 0.43 for sides of 60 to 30 degrees.
    """
    shares = {name: [] for name in CLASSES}
    for _, sample in samples:
        box = box_of(sample['masks'][0])
        if len(sample['labels']) == 1 and min(box[2:]) >= 24:
            share = sample['masks'].sum() / (box[2] * box[3])
            shares[CLASSES[sample['labels'][0]]].append(share)
    assert min(len(found) for found in shares.values()) >= 2
    # Of 24 pixels and more the outermost half pixel is a few percent.
    assert np.allclose(shares['disc'], np.pi / 4, atol=0.03)
    assert max(shares['triangle']) < 0.5 + 0.04
    assert 0.43 - 0.03 < min(shares['rectangle'])


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
