"""Predictions as COCO's format, CSV and supervision's keypoints."""
import csv
import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from hourglass_plugin.inference import results
from hourglass_plugin.inference.results import Pose, Prediction

NAMES = ['left_ear', 'right_ear', 'nose']


@pytest.fixture
def predictions():
    pose = Pose(
        np.array([10, 20, 40, 60.5]),
        np.array([[11, 21.5], [12, 22], [13, 23]]),
        np.array([0.5, 0.75, 1], np.float32))
    image = np.zeros((90, 120, 3), np.uint8)
    return [
        Prediction('a.mp4', image, [pose, pose], 4),
        Prediction('b.jpg', image, [])]


def test_coco_file_is_read_by_pycocotools(predictions, tmp_path):
    file = tmp_path / 'coco.json'
    file.write_text(
        json.dumps(results.to_coco(predictions, NAMES, [(0, 2)])))
    coco = COCO(str(file))
    assert [(image['width'], image['height'], image.get('frame'))
            for image in coco.imgs.values()] == [(120, 90, 4), (120, 90, None)]
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert first['bbox'] == [10, 20, 30, 40.5] and first['score'] == 0.75
    assert first['keypoints'] == [11, 21.5, 2, 12, 22, 2, 13, 23, 2]
    assert second['id'] == 2 and not coco.getAnnIds(imgIds=[2])
    assert coco.cats[1]['skeleton'] == [[1, 3]]


def test_csv_has_a_line_for_each_person(predictions, tmp_path):
    results.write_csv(tmp_path / 'all.csv', predictions, NAMES)
    first, second = csv.DictReader(
        (tmp_path / 'all.csv').read_text().splitlines())
    assert (first['file'], first['frame'], second['person']) == (
        'a.mp4', '4', '1')
    assert (first['left_ear_y'], first['right_ear_score'],
            first['bottom']) == ('21.5', '0.75', '60.5')


def test_supervision_draws_what_it_gets(predictions):
    pytest.importorskip('supervision')
    people = results.to_supervision(predictions[0].people)
    assert people.xy.shape == (2, 3, 2)
    assert len(results.to_supervision([])) == 0
