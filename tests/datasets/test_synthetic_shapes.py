"""The drawn data set for detectors: shapes, boxes, files."""
import json

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from synthetic_shapes import (
    CLASSES,
    Settings,
    box_of,
    is_complete,
    make_sample,
    write_data_set,
)

SETTINGS = Settings(num_train=5, num_val=3, seed=7)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*') if path.is_file()
    }


@pytest.fixture(scope='module')
def samples():
    return [make_sample(1, 'train', index) for index in range(120)]


@pytest.fixture(scope='module')
def data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp('synthetic') / 'shapes'
    assert list(write_data_set(folder, SETTINGS)) == [1, 2, 3, 4, 5, 6, 7, 8]
    return folder


def test_a_box_is_as_wide_as_its_pixels():
    mask = np.zeros((6, 9), bool)
    mask[2, 3] = True
    assert box_of(mask) == [3, 2, 1, 1]
    # Columns 3 to 7 are five, rows 2 to 4 three.
    mask[4, 7] = True
    assert box_of(mask) == [3, 2, 5, 3]
    assert box_of(np.ones((6, 9), bool)) == [0, 0, 9, 6]


def test_boxes_hold_what_is_seen_and_nothing_more(samples):
    hidden = 0
    for sample in samples:
        assert len(sample.labels) == len(sample.masks) == len(sample.boxes)
        assert 1 <= len(sample.labels) <= 5
        # No pixel belongs to two shapes.
        assert sample.masks.sum(0).max() == 1
        for mask, box in zip(sample.masks, sample.boxes):
            x, y, width, height = box
            inside = mask[y:y + height, x:x + width]
            assert inside.sum() == mask.sum()
            assert inside[0].any() and inside[-1].any()
            assert inside[:, 0].any() and inside[:, -1].any()
        hull = [
            cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.int32))
            for mask in sample.masks
        ]
        hidden += sum(
            # The shapes are convex: a dent is where another lies in front.
            # A hull through pixels' centres has less than their area.
            cv2.contourArea(points) > 1.02 * mask.sum()
            for points, mask in zip(hull, sample.masks))
    # Some overlap, which is what makes boxes hard to find.
    assert hidden > 10


def test_shapes_are_what_their_labels_say(samples):
    """The share of its box that a whole shape fills, by geometry.

    A disc fills pi / 4. The corners of a triangle touch the box, whose half
    it has at most. Of w x h a rectangle turned by t fills w h / ((w cos t +
    h sin t) (w sin t + h cos t)): all if it is upright, and with sides of at
    most 60 to 30 degrees half of it is a square's least, 0.43 an oblong's.
    """
    shares = {name: [] for name in CLASSES}
    for sample in samples:
        if len(sample.labels) > 1 or min(sample.boxes[0, 2:]) < 24:
            continue
        width, height = sample.boxes[0, 2:]
        share = sample.masks.sum() / (width * height)
        shares[CLASSES[sample.labels[0]]].append(share)
    assert min(len(found) for found in shares.values()) >= 2
    # Of 24 pixels and more the outermost half pixel is a few percent.
    assert np.allclose(shares['disc'], np.pi / 4, atol=0.03)
    assert max(shares['triangle']) < 0.5 + 0.04
    assert 0.43 - 0.03 < min(shares['rectangle'])


def test_shapes_are_drawn_where_their_masks_are(samples):
    differences = []
    for sample in samples:
        grey = sample.image.astype(float)
        for mask in sample.masks:
            around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
            around &= ~sample.masks.any(0)
            if around.any():
                differences.append(
                    np.abs(grey[mask].mean(0) - grey[around].mean(0)).max())
    # Of 256 steps; noise, texture and clouds are a few.
    assert np.median(differences) > 40


def test_a_sample_depends_on_its_numbers_only():
    first = make_sample(5, 'train', 11)
    np.random.seed(0)
    cv2.setRNGSeed(123)
    make_sample(5, 'train', 3)
    again = make_sample(5, 'train', 11)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.boxes, again.boxes)
    for other in (make_sample(6, 'train', 11), make_sample(5, 'val', 11),
                  make_sample(5, 'train', 12)):
        assert (first.image.shape != other.image.shape
                or (first.image != other.image).any())


def test_files_are_cocos_and_say_what_was_drawn(data_set):
    for split, count in (('train', 5), ('val', 3)):
        coco = COCO(str(data_set / f'annotations/{split}.json'))
        assert sorted(coco.imgs) == list(range(1, count + 1))
        assert [each['name'] for each in coco.dataset['categories']
                ] == list(CLASSES)
        ids = [each['id'] for each in coco.dataset['annotations']]
        assert ids == list(range(1, len(ids) + 1))
        for index in range(count):
            sample = make_sample(7, split, index)
            record = coco.imgs[index + 1]
            image = cv2.imread(str(data_set / 'images' / record['file_name']))
            assert image.shape == sample.image.shape
            assert image.shape[:2] == (record['height'], record['width'])
            # JPEG of quality 90 keeps noise and edges roughly.
            assert np.abs(image.astype(float) - sample.image).mean() < 8
            annotations = coco.imgToAnns[index + 1]
            assert len(annotations) == len(sample.labels)
            for annotation, label, mask in zip(annotations, sample.labels,
                                               sample.masks):
                assert annotation['category_id'] == label + 1
                assert annotation['bbox'] == box_of(mask)
                assert annotation['area'] == mask.sum()
                assert annotation['iscrowd'] == 0


def test_mmdetection_reads_the_boxes(data_set):
    pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists it')
    from mmdet.datasets import CocoDataset
    dataset = CocoDataset(
        data_root=str(data_set),
        ann_file='annotations/val.json',
        data_prefix=dict(img='images/'),
        metainfo=dict(classes=CLASSES),
        test_mode=True)
    assert len(dataset) == 3
    for index in range(3):
        sample = make_sample(7, 'val', index)
        found = dataset.get_data_info(index)['instances']
        assert [each['bbox_label'] for each in found] == sample.labels.tolist()
        # Left, top, right and bottom edges.
        assert [each['bbox'] for each in found] == [
            [x, y, x + width, y + height]
            for x, y, width, height in sample.boxes.tolist()
        ]


def test_two_processes_write_the_same_bytes(data_set, tmp_path):
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        written = write_data_set(tmp_path / 'shapes', SETTINGS, num_workers=2)
        next(written)
        # What forks has one thread, as no other survives.
        assert cv2.getNumThreads() == 1
        list(written)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(threads)
    assert contents(tmp_path / 'shapes') == contents(data_set)


def test_people_are_not_shapes(data_set, tmp_path):
    """Each generator knows its own folders, and leaves the other's alone."""
    assert is_complete(data_set, SETTINGS)
    path = data_set / 'settings.json'
    record = json.loads(path.read_text())
    other = tmp_path / 'shapes'
    other.mkdir()
    (other / 'settings.json').write_text(
        json.dumps(
            dict(record, generator='hourglass_plugin synthetic people')))
    assert not is_complete(other, SETTINGS)
    with pytest.raises(FileExistsError, match='not written by'):
        list(write_data_set(other, SETTINGS, force=True))
