"""pycocotools in place of xtcocotools."""
import json

import numpy as np
import pytest

from hourglass_plugin.compat.coco import COCO, COCOeval

# One person with two keypoints, found 1.62 pixels too far right; the file has
# neither their number nor a mark of crowds.
SAME = dict(image_id=1, category_id=1)
TRUTH = dict(
    info={}, images=[dict(id=1, width=20, height=20)],
    categories=[dict(id=1, name='person')], annotations=[dict(
        SAME, id=1, area=100.0, bbox=[0, 0, 10, 10],
        keypoints=[2, 3, 2, 5, 7, 2])])
FOUND = [dict(SAME, score=0.9, keypoints=[3.62, 3, 1, 6.62, 7, 1])]


# OKS = exp(-d^2 / (2 (2 sigma)^2 area)). With sigma 0.1 and area 100 the
# denominator is 8, and d = 1.62 gives OKS 0.7203: above the thresholds 0.5,
# 0.55, 0.6, 0.65 and 0.7, below 0.75 to 0.95. So AP is 5 of 10. With sigma 0.2
# the denominator is 32, OKS 0.9213: all but 0.95.
@pytest.mark.parametrize('sigma, precision', [(0.1, 0.5), (0.2, 0.9)])
def test_evaluation_uses_the_datasets_sigmas(tmp_path, sigma, precision):
    (tmp_path / 'truth.json').write_text(json.dumps(TRUTH))
    coco = COCO(str(tmp_path / 'truth.json'))
    evaluation = COCOeval(
        coco, coco.loadRes(FOUND), 'keypoints', sigmas=np.full(2, sigma))
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(precision)


@pytest.mark.parametrize('options', [
    dict(iouType='keypoints_crowd'),
    dict(iouType='keypoints', use_area=False)])
def test_evaluations_of_xtcocotools_alone_are_refused(options):
    with pytest.raises(ValueError):
        COCOeval(**options)
