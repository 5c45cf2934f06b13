"""NMS and soft-NMS: by hand, by a slow second way, as mmcv's compiled ones.

Every test asks ours and, where the full mmcv is installed, the compiled
operators, so that what is written here is true of both.
"""
import importlib
import math

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from hourglass_plugin.compat import soft_nms

try:
    from mmcv import _ext as compiled
except ImportError:
    compiled = None

needs_compiled = pytest.mark.skipif(
    compiled is None,
    reason='the full mmcv, with compiled operators, is not installed')
METHODS = {'naive': 0, 'linear': 1, 'gaussian': 2}

# 16 units of area; its upper half, 8, of which all are shared; its
# neighbour, which touches it.
BOX, HALF, NEIGHBOUR = (0, 0, 4, 4), (0, 0, 4, 2), (4, 0, 8, 4)
# exp(-0.5^2 / 0.5) with the IoU of BOX and HALF, 8 / 16, and sigma 0.5.
HALF_WEIGHT = math.exp(-0.5)


@pytest.fixture(params=[
    pytest.param(soft_nms, id='ours'),
    pytest.param(compiled, id='compiled', marks=needs_compiled)
])
def operators(request):
    return request.param


def run_soft_nms(operators, boxes, scores, method, iou_threshold=0.5,
                 sigma=0.5, min_score=1e-3, offset=0):
    """Indices and (M, 5) rows of what is kept."""
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    scores = torch.tensor(scores, dtype=torch.float32)
    dets, before = torch.full((len(boxes), 5), -1.), scores.clone()
    indices = operators.softnms(
        boxes,
        scores,
        dets,
        iou_threshold=iou_threshold,
        sigma=sigma,
        min_score=min_score,
        method=METHODS[method],
        offset=offset)
    assert indices.dtype == torch.int64
    assert torch.equal(scores, before)
    kept, rest = dets.tensor_split([len(indices)])
    assert torch.equal(kept[:, :4], boxes[indices])
    assert (rest == -1).all()
    return indices.tolist(), kept[:, 4].tolist()


@pytest.mark.parametrize(
    'method, options, indices, scores',
    [
        # IoU 0.5 is enough: 0.8 * 0 < 0.001 goes. Touching is no overlap.
        ('naive', {}, [0, 2], [0.9, 0.7]),
        ('naive', dict(iou_threshold=0.51), [0, 1, 2], [0.9, 0.8, 0.7]),
        # Nothing is less than 0.
        ('naive', dict(min_score=0), [0, 2, 1], [0.9, 0.7, 0]),
        # 0.8 * (1 - 0.5), behind the neighbour now.
        ('linear', {}, [0, 2, 1], [0.9, 0.7, 0.4]),
        ('linear', dict(min_score=0.41), [0, 2], [0.9, 0.7]),
        ('gaussian', {}, [0, 2, 1], [0.9, 0.7, 0.8 * HALF_WEIGHT]),
        # Whatever the threshold, and by exp(-0.25 / 2).
        ('gaussian', dict(iou_threshold=1, sigma=2), [0, 1, 2],
         [0.9, 0.8 * math.exp(-0.125), 0.7]),
        # Sides are 5, 5x3 and 5: IoU 15 / 25 with the half; 1x5 of 25 + 25 -
        # 5 with the neighbour, whose 1x3 with the half is 3 / (25 + 15 - 3) <
        # 0.1.
        ('linear', dict(iou_threshold=0.1, offset=1), [0, 2, 1],
         [0.9, 0.7 * 8 / 9, 0.8 * 0.4]),
    ])
def test_three_boxes(operators, method, options, indices, scores):
    found = run_soft_nms(operators, [BOX, HALF, NEIGHBOUR], [0.9, 0.8, 0.7],
                         method, **options)
    assert found[0] == indices
    # float32 has 7 digits, and no score comes of more than 3 operations.
    np.testing.assert_allclose(found[1], scores, rtol=1e-6)


def far_apart(number):
    return [(9 * i, 0, 9 * i + 1, 1) for i in range(number)]


def test_equal_scores(operators):
    """The first of equals is the best, in an order that changes.

    The first box takes the place of the best: 1, 2, 0 are left of the first
    case. In the second, box 1 is box 0 again and goes, and the last takes its
    place: 4, 2, 3.
    """
    first = run_soft_nms(operators, far_apart(4), [0.5, 0.5, 0.5, 0.9],
                         'naive')
    assert first[0] == [3, 1, 2, 0]
    boxes = far_apart(5)
    boxes[1] = boxes[0]
    second = run_soft_nms(operators, boxes, [0.9, 0.8, 0.5, 0.5, 0.5],
                          'naive')
    assert second[0] == [0, 4, 2, 3]


def test_last_box_is_lowered_too_when_it_moves(operators):
    """Boxes 1 and 4 equal box 0 and go, 4 after it took the place of 1.

    Then 3 takes that place and loses half, so 2 comes before it.
    """
    boxes = [BOX, BOX, NEIGHBOUR, HALF, BOX]
    indices, scores = run_soft_nms(operators, boxes,
                                   [0.9, 0.8, 0.5, 0.8, 0.7], 'linear')
    assert indices == [0, 2, 3]
    np.testing.assert_allclose(scores, [0.9, 0.5, 0.4], rtol=1e-6)


def test_boxes_without_area(operators):
    """The IoU of a point with itself is 0 / 0, and no threshold holds.

    With the exponential the score is not a number, which is larger than no
    other, so that it comes last, and no other is larger than it, so that it
    comes first where it is the first to be asked.
    """
    point = (1, 1, 1, 1)
    boxes, scores = [point, point, BOX], [0.9, 0.8, 0.7]
    for method, second in (('linear', 0.8), ('gaussian', math.nan)):
        indices, found = run_soft_nms(operators, boxes, scores, method)
        assert indices == [0, 1, 2]
        np.testing.assert_allclose(found, [0.9, second, 0.7], rtol=1e-6)
    assert run_soft_nms(operators, [point, BOX, point], scores,
                        'gaussian')[0] == [0, 1, 2]
    assert operators.nms(
        torch.tensor(boxes).float(),
        torch.tensor(scores),
        iou_threshold=0.5,
        offset=0).tolist() == [0, 1, 2]


def test_best_box_stays_whatever_its_score(operators):
    assert run_soft_nms(operators, far_apart(2), [1e-4, 1e-5],
                        'linear')[0] == [0]


@pytest.mark.parametrize('method', METHODS)
def test_no_boxes(operators, method):
    assert run_soft_nms(operators, [], [], method) == ([], [])
    assert operators.nms(
        torch.zeros(0, 4), torch.zeros(0), iou_threshold=0.5,
        offset=0).tolist() == []


@pytest.mark.parametrize(
    'iou_threshold, offset, indices',
    [
        (0.49, 0, [3, 0, 2]),  # the half goes
        (0.5, 0, [3, 0, 1, 2]),  # here the threshold itself is not enough
        (0.59, 1, [3, 0, 2]),  # 15 / 25, as above
        (0.61, 1, [3, 0, 1, 2]),
        (0.1, 1, [3, 0]),  # and the neighbour, 5 / 45
    ])
def test_nms(operators, iou_threshold, offset, indices):
    boxes = torch.tensor([BOX, HALF, NEIGHBOUR, (20, 20, 21, 21), BOX]).float()
    scores = torch.tensor([0.8, 0.7, 0.6, 0.9, 0.5])
    assert operators.nms(
        boxes, scores, iou_threshold=iou_threshold,
        offset=offset).tolist() == indices


def iou_of(one, other, offset):
    """Intersection over union in plain Python."""

    def area(x1, y1, x2, y2):
        return (x2 - x1 + offset) * (y2 - y1 + offset)

    x1, y1 = max(one[0], other[0]), max(one[1], other[1])
    x2, y2 = min(one[2], other[2]), min(one[3], other[3])
    shared = 0
    if x2 + offset > x1 and y2 + offset > y1:
        shared = area(x1, y1, x2, y2)
    return shared / (area(*one) + area(*other) - shared)


def slow_soft_nms(boxes, scores, method, iou_threshold, sigma, min_score,
                  offset):
    """The paper's figure 2, for scores no two of which are equal."""
    waiting, kept = dict(enumerate(scores)), {}
    while waiting:
        best = max(waiting, key=waiting.get)
        kept[best] = waiting.pop(best)
        for i in list(waiting):
            iou = iou_of(boxes[best], boxes[i], offset)
            if method == 'gaussian':
                waiting[i] *= math.exp(-iou**2 / sigma)
            elif iou >= iou_threshold:
                waiting[i] *= 1 - iou if method == 'linear' else 0
            if waiting[i] < min_score:
                del waiting[i]
    return list(kept), list(kept.values())


def random_boxes(number, rng):
    """Groups of boxes that overlap, and their scores."""
    centres = rng.uniform(0, 100, (1 + number // 8, 2))
    centres = centres[rng.integers(0, len(centres), number)]
    corners = centres + rng.normal(0, 3, (number, 2))
    boxes = np.hstack([corners, corners + rng.uniform(8, 20, (number, 2))])
    return boxes.astype(np.float32), rng.random(number, dtype=np.float32)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('method', METHODS)
def test_slow_second_way(operators, method, offset):
    rng = np.random.default_rng(0)
    removed = 0
    for number in (1, 2, 10, 40, 150):
        boxes, scores = random_boxes(number, rng)
        options = dict(
            iou_threshold=rng.uniform(0.2, 0.6),
            sigma=rng.uniform(0.2, 0.8),
            min_score=rng.uniform(0.01, 0.2),
            offset=offset)
        slow = slow_soft_nms(boxes.tolist(), scores.tolist(), method,
                             **options)
        found = run_soft_nms(operators, boxes, scores, method, **options)
        assert found[0] == slow[0]
        # An IoU in float32 is right to 1e-5: its sides are differences of
        # numbers 10 times as large. A score is lowered by 30 boxes or less.
        np.testing.assert_allclose(found[1], slow[1], rtol=3e-4)
        removed += number - len(found[0])
    assert removed > 20


def grid_case():
    """12 boxes on a grid: identical and touching ones, and equal scores."""
    boxes, scores = [], []
    for i in range(12):
        x, y = 7 * i % 5, 3 * i % 4
        boxes.append((x, y, x + 2 + i % 3, y + 2 + i * i % 3))
        scores.append((1 + 5 * i % 4) / 4)
    return boxes, scores


def grid_table(operators):
    """What is kept of them, and the scores to 5 digits."""
    table = {}
    for method in METHODS:
        for offset in (0, 1):
            indices, scores = run_soft_nms(
                operators, *grid_case(), method, 0.3, 0.5, 0.05, offset)
            table[method, offset] = (indices, [round(s, 5) for s in scores])
    return table


# Of the compiled operators of mmcv 2.1.0, by
#   cd tests && python -c "import test_soft_nms as t;
#   print(t.grid_table(t.compiled))"
GRID_TABLE = {
    ('naive', 0): ([3, 7, 10, 6, 9, 4, 0],
                   [1.0, 1.0, 0.75, 0.75, 0.5, 0.25, 0.25]),
    ('naive', 1): ([3, 7, 6, 9, 5, 0], [1.0, 1.0, 0.75, 0.5, 0.5, 0.25]),
    ('linear', 0): ([3, 7, 6, 10, 1, 2, 11, 9, 0, 5, 4, 8], [
        1.0, 1.0, 0.75, 0.75, 0.5, 0.45, 0.4, 0.27778, 0.25, 0.18, 0.15,
        0.06667
    ]),
    ('linear', 1): ([3, 7, 6, 5, 9, 2, 11, 0, 10, 8, 1], [
        1.0, 1.0, 0.75, 0.5, 0.5, 0.375, 0.275, 0.25, 0.17555, 0.07857, 0.07484
    ]),
    ('gaussian', 0): ([3, 7, 6, 10, 11, 2, 9, 5, 0, 1, 4, 8], [
        1.0, 1.0, 0.72, 0.6571, 0.54597, 0.50274, 0.43627, 0.32913, 0.24,
        0.20388, 0.14873, 0.10224
    ]),
    ('gaussian', 1): ([3, 7, 10, 6, 2, 9, 11, 5, 0, 1, 4], [
        1.0, 1.0, 0.61439, 0.50279, 0.44295, 0.32983, 0.24032, 0.20714,
        0.20096, 0.08794, 0.08572
    ]),
}


def test_grid_as_the_compiled_operators(operators):
    found = grid_table(operators)
    assert list(found) == list(GRID_TABLE)
    for case, (indices, scores) in GRID_TABLE.items():
        assert found[case][0] == indices, case
        # Half of the last digit in the table on each side.
        np.testing.assert_allclose(found[case][1], scores, atol=1.1e-5)


@needs_compiled
@pytest.mark.parametrize('method', METHODS)
def test_random_boxes_as_the_compiled_operators(method):
    rng = np.random.default_rng(1)
    for case in range(40):
        boxes, scores = random_boxes(rng.integers(1, 200), rng)
        if case % 2:  # boxes without area, identical ones, equal scores
            boxes, scores = np.round(boxes / 8), np.round(scores * 4) / 4
        options = dict(
            min_score=rng.choice([0, 0.01, 0.3]), offset=case // 2 % 2)
        ours, theirs = (
            run_soft_nms(operators, boxes, scores, method, **options)
            for operators in (soft_nms, compiled))
        assert ours[0] == theirs[0]
        # Exactly, but for the C library's exponential: its last digit, 1e-7,
        # in each of up to 30 weights.
        np.testing.assert_allclose(
            ours[1], theirs[1], rtol=3e-6 if method == 'gaussian' else 0)
        arguments = torch.tensor(boxes), torch.tensor(scores), 0.5
        assert torch.equal(
            soft_nms.nms(*arguments, options['offset']),
            compiled.nms(*arguments, options['offset']))


def test_other_types_are_refused():
    """As the compiled operators do, which compute in float32 only."""
    boxes, scores = torch.zeros(1, 4), torch.zeros(1)
    dets = torch.zeros(1, 5)
    with pytest.raises(ValueError, match=r'boxes .* torch.float64: .*float'):
        soft_nms.nms(boxes.double(), scores, 0.5, 0)
    with pytest.raises(ValueError, match='scores must be float32'):
        soft_nms.softnms(boxes, scores.half(), dets, 0.5, 0.5, 0, 1, 0)
    with pytest.raises(ValueError, match='method must be 0, 1 or 2, got 3'):
        soft_nms.softnms(boxes, scores, dets, 0.5, 0.5, 0, 3, 0)


def mmcv_nms():
    """The module mmcv.ops.nms, over which mmcv.ops puts the function nms."""
    return importlib.import_module('mmcv.ops.nms')


@pytest.mark.skipif(compiled is not None, reason='mmcv has its own')
def test_mmcv_without_compiled_operators_calls_ours():
    assert mmcv_nms().ext_module.softnms is soft_nms.softnms
    assert mmcv_nms().ext_module.nms is soft_nms.nms


@pytest.fixture
def mmcv_operators(operators, monkeypatch):
    """mmcv calls ours, or its own."""
    monkeypatch.setattr(mmcv_nms(), 'ext_module', operators)


# Box 2 is box 0 in another class: its score stays, or falls to
# 0.85 * (1 - 1) and the box goes. The half of box 0 has 0.8 * (1 - 0.5).
@pytest.mark.parametrize('options, indices, scores', [
    (dict(), [0, 2, 1], [0.9, 0.85, 0.4]),
    (dict(split_thr=2), [0, 2, 1], [0.9, 0.85, 0.4]),
    (dict(class_agnostic=True), [0, 1], [0.9, 0.4]),
    (dict(method='naive'), [0, 2], [0.9, 0.85]),
    (dict(method='gaussian', split_thr=1), [0, 2, 1],
     [0.9, 0.85, 0.8 * HALF_WEIGHT]),
])
@pytest.mark.usefixtures('mmcv_operators')
def test_batched_nms_of_mmcv(options, indices, scores):
    boxes = torch.tensor([BOX, HALF, BOX], dtype=torch.float32)
    rows, found = mmcv_nms().batched_nms(
        boxes, torch.tensor([0.9, 0.8, 0.85]), torch.tensor([0, 0, 1]),
        dict(type='soft_nms', iou_threshold=0.5, **options))
    assert found.tolist() == indices
    assert torch.equal(rows[:, :4], boxes[indices])
    np.testing.assert_allclose(rows[:, 4], scores, rtol=1e-6)


def logit(probability):
    return math.log(probability / (1 - probability))


@pytest.mark.usefixtures('mmcv_operators')
def test_corner_head_of_mmdetection():
    """Three pairs of corners, in 16x16 cells of 4 pixels.

    Scores are means of two corners': 0.9 of a box in class 0; (0.9 + 0.7) / 2
    of its upper half, lowered since CornerNet's soft-NMS has method
    'gaussian'; 0.6 of a box in class 1, which is class 0's moved by a cell.
    Embeddings say which corners belong together.
    """
    pytest.importorskip('mmdet', reason='MMDetection is not installed')
    from mmdet.models import CornerHead
    with DefaultScope.overwrite_default_scope('mmdet'):
        check_corner_head(CornerHead)


def check_corner_head(corner_head):
    head = corner_head(
        num_classes=2,
        in_channels=4,
        num_feat_levels=1,
        test_cfg=ConfigDict(
            corner_topk=32,
            local_maximum_kernel=3,
            distance_threshold=0.5,
            max_per_img=10,
            nms=dict(type='soft_nms', iou_threshold=0.5, method='gaussian')))
    top_left, bottom_right = torch.full((2, 1, 2, 16, 16), -20.)
    # What is no corner belongs to no other.
    embeddings = torch.full((1, 1, 16, 16), 5.), torch.full((1, 1, 16, 16), 9.)
    for heatmap, embedding, label, x, y, score in (
        (top_left, embeddings[0], 0, 0, 0, 0.9),
        (bottom_right, embeddings[1], 0, 8, 8, 0.9),
        (bottom_right, embeddings[1], 0, 8, 4, 0.7),
        (top_left, embeddings[0], 1, 1, 0, 0.6),
        (bottom_right, embeddings[1], 1, 9, 8, 0.6)):
        heatmap[0, label, y, x] = logit(score)
        embedding[0, 0, y, x] = label
    no_offsets = torch.zeros(1, 2, 16, 16)
    result, = head.predict_by_feat(
        [top_left], [bottom_right], [embeddings[0]], [embeddings[1]],
        [no_offsets], [no_offsets],
        [dict(batch_input_shape=(64, 64), border=(0, 0, 0, 0))])
    assert result.bboxes.tolist() == [[0, 0, 32, 32], [4, 0, 36, 32],
                                      [0, 0, 32, 16]]
    assert result.labels.tolist() == [0, 1, 0]
    # The sigmoid of a logit and back in float32.
    np.testing.assert_allclose(
        result.scores, [0.9, 0.6, 0.8 * HALF_WEIGHT], rtol=1e-6)
