"""NMS and soft-NMS: by hand, and as mmcv's compiled operators."""
import importlib
import math

import numpy as np
import pytest
import torch

from hourglass_plugin.compat import soft_nms

#: The module, over which mmcv.ops puts the function of the same name.
MMCV_NMS = importlib.import_module('mmcv.ops.nms')
METHODS = {'naive': 0, 'linear': 1, 'gaussian': 2}

# 16 units of area; its upper half, 8, of which all are shared; its
# neighbour, which touches it.
BOX, HALF, NEIGHBOUR = (0, 0, 4, 4), (0, 0, 4, 2), (4, 0, 8, 4)
# exp(-0.5^2 / 0.5) with the IoU of BOX and HALF, 8 / 16, and sigma 0.5.
HALF_WEIGHT = math.exp(-0.5)
POINT = (1, 1, 1, 1)
THREE = [BOX, HALF, NEIGHBOUR], [0.9, 0.8, 0.7]
# 12 boxes, identical and touching ones, with equal scores.
GRID = ([(7 * i % 5, 3 * i % 4, 7 * i % 5 + 2 + i % 3, 3 * i % 4 + 2 +
          i * i % 3) for i in range(12)],
        [(1 + 5 * i % 4) / 4 for i in range(12)])
GRID_OPTIONS = dict(iou_threshold=0.3, min_score=0.05)


@pytest.mark.parametrize('people, method, options, indices, expected', [
    # IoU 0.5 is enough: 0.8 * 0 < 0.001 goes. Touching is no overlap.
    (THREE, 'naive', {}, [0, 2], [0.9, 0.7]),
    (THREE, 'naive', dict(iou_threshold=0.51), [0, 1, 2], [0.9, 0.8, 0.7]),
    # Nothing is less than 0.
    (THREE, 'naive', dict(min_score=0), [0, 2, 1], [0.9, 0.7, 0]),
    # 0.8 * (1 - 0.5), behind the neighbour now.
    (THREE, 'linear', {}, [0, 2, 1], [0.9, 0.7, 0.4]),
    (THREE, 'linear', dict(min_score=0.41), [0, 2], [0.9, 0.7]),
    (THREE, 'gaussian', {}, [0, 2, 1], [0.9, 0.7, 0.8 * HALF_WEIGHT]),
    # Whatever the threshold, and by exp(-0.25 / 2).
    (THREE, 'gaussian', dict(iou_threshold=1, sigma=2), [0, 1, 2],
     [0.9, 0.8 * math.exp(-0.125), 0.7]),
    # Sides are 5, 5x3 and 5: IoU 15 / 25 with the half; 1x5 of 25 + 25 - 5
    # with the neighbour, whose 1x3 with the half is 3 / (25 + 15 - 3) < 0.1.
    (THREE, 'linear', dict(iou_threshold=0.1, offset=1), [0, 2, 1],
     [0.9, 0.7 * 8 / 9, 0.8 * 0.4]),
    # What the compiled operators of mmcv 2.1.0 keep of the grid.
    (GRID, 'linear', GRID_OPTIONS, [3, 7, 6, 10, 1, 2, 11, 9, 0, 5, 4, 8],
     [1.0, 1.0, 0.75, 0.75, 0.5, 0.45, 0.4, 0.27778, 0.25, 0.18, 0.15,
      0.06667]),
    (GRID, 'gaussian', dict(GRID_OPTIONS, offset=1),
     [3, 7, 10, 6, 2, 9, 11, 5, 0, 1, 4],
     [1.0, 1.0, 0.61439, 0.50279, 0.44295, 0.32983, 0.24032, 0.20714,
      0.20096, 0.08794, 0.08572]),
    *((([], []), method, {}, [], []) for method in METHODS)])
def test_soft_nms(people, method, options, indices, expected):
    boxes, scores = map(torch.tensor, people)
    boxes, scores = boxes.float().reshape(-1, 4), scores.float()
    dets, before = torch.full((len(boxes), 5), -1.), scores.clone()
    found = soft_nms.softnms(
        boxes, scores, dets, method=METHODS[method],
        **{**dict(iou_threshold=0.5, sigma=0.5, min_score=1e-3, offset=0),
           **options})
    assert found.dtype == torch.int64 and found.tolist() == indices
    assert torch.equal(scores, before)
    kept, rest = dets.tensor_split([len(found)])
    assert torch.equal(kept[:, :4], boxes[found])
    # float32 has 7 digits, and no score comes of more than 3 operations; the
    # grid's have half of their last digit on each side.
    tolerance = dict(atol=1.1e-5) if people is GRID else dict(rtol=1e-6)
    np.testing.assert_allclose(kept[:, 4], expected, **tolerance)
    assert (rest == -1).all()


@pytest.mark.parametrize('iou_threshold, offset, indices', [
    (0.49, 0, [3, 0, 5, 6, 2]),  # the half goes, but no point without area
    (0.5, 0, [3, 0, 1, 5, 6, 2]),  # here the threshold itself is not enough
    (0.59, 1, [3, 0, 5, 2]),  # 15 / 25, as above
    (0.61, 1, [3, 0, 1, 5, 2]),
    (0.1, 1, [3, 0, 5])])  # and the neighbour, 5 / 45
def test_nms(iou_threshold, offset, indices):
    boxes = torch.tensor([BOX, HALF, NEIGHBOUR, (20, 20, 21, 21), BOX, POINT,
                          POINT]).float()
    scores = torch.tensor([0.8, 0.7, 0.6, 0.9, 0.5, 0.69, 0.68])
    for count, expected in ((7, indices), (0, [])):
        assert soft_nms.nms(boxes[:count], scores[:count], iou_threshold,
                            offset).tolist() == expected


# Box 2 is box 0 in another class: its score stays, or falls to
# 0.85 * (1 - 1) and the box goes. The half of box 0 has 0.8 * (1 - 0.5).
@pytest.mark.parametrize('options, indices, scores', [
    (dict(), [0, 2, 1], [0.9, 0.85, 0.4]),
    (dict(class_agnostic=True), [0, 1], [0.9, 0.4])])
def test_batched_nms_of_mmcv(options, indices, scores):
    """By mmcv's own operators if it has them, else by ours."""
    boxes = torch.tensor([BOX, HALF, BOX], dtype=torch.float32)
    rows, found = MMCV_NMS.batched_nms(
        boxes, torch.tensor([0.9, 0.8, 0.85]), torch.tensor([0, 0, 1]),
        dict(type='soft_nms', iou_threshold=0.5, **options))
    assert found.tolist() == indices
    assert torch.equal(rows[:, :4], boxes[indices])
    np.testing.assert_allclose(rows[:, 4], scores, rtol=1e-6)
