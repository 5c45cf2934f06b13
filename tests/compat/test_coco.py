"""pycocotools in place of xtcocotools."""
import json

import numpy as np
import pytest

from hourglass_plugin.compat.coco import COCO, COCOeval


def truth_and_results(offset):
    """One person with two keypoints, found ``offset`` pixels too far right."""
    same = dict(image_id=1, category_id=1)
    annotation = dict(
        same, id=1, area=100.0, bbox=[0, 0, 10, 10], num_keypoints=2,
        keypoints=[2, 3, 2, 5, 7, 2])
    truth = dict(
        info={}, images=[dict(id=1, width=20, height=20)],
        categories=[dict(id=1, name='person')], annotations=[annotation])
    keypoints = [2 + offset, 3, 1, 5 + offset, 7, 1]
    return truth, [dict(same, score=0.9, keypoints=keypoints)]


# OKS = exp(-d^2 / (2 (2 sigma)^2 area)). With sigma 0.1 and area 100 the
# denominator is 8, and d = 1.62 gives OKS 0.7203: above the thresholds 0.5,
# 0.55, 0.6, 0.65 and 0.7, below 0.75 to 0.95. So AP is 5 of 10. With sigma 0.2
# the denominator is 32, OKS 0.9213: all but 0.95.
@pytest.mark.parametrize('sigma, precision', [(0.1, 0.5), (0.2, 0.9)])
def test_evaluation_uses_the_datasets_sigmas(tmp_path, sigma, precision):
    truth, found = truth_and_results(1.62)
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    coco = COCO(str(tmp_path / 'truth.json'))
    evaluation = COCOeval(
        coco, coco.loadRes(found), 'keypoints', sigmas=np.full(2, sigma))
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(precision)


def test_people_are_no_crowd_by_default():
    coco = COCO()
    coco.dataset, _ = truth_and_results(0)
    coco.createIndex()
    assert coco.loadAnns(1)[0]['iscrowd'] is False


@pytest.mark.parametrize('options', [
    dict(iouType='keypoints_crowd'),
    dict(iouType='keypoints', use_area=False),
])
def test_evaluations_of_xtcocotools_alone_are_refused(options):
    with pytest.raises(ValueError):
        COCOeval(**options)
