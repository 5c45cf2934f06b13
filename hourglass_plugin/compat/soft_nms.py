"""NMS and soft-NMS where mmcv has no compiled operators.

Non-maximum suppression (NMS) removes boxes that overlap a better one; soft-NMS
(Bodla et al., "Soft-NMS: improving object detection with one line of code",
ICCV 2017), which CornerNet uses, lowers its score instead.

The two functions stand in for the compiled operators of their names in
``mmcv._ext``: ``mmcv.ops.nms``, ``soft_nms`` and ``batched_nms`` call them
with mmcv-lite. They give the same boxes in the same order, equal scores
included, with the same scores, computed in float32 on the CPU. Only the last
digit of method 2's exponential differs between C libraries and CPUs.

N boxes are (N, 4) float32, ``x1, y1, x2, y2``. A side is ``x2 - x1 +
offset``: 1 where coordinates are those of the first and the last pixel, 0
where they are edges.
"""
import numpy as np
import torch
from torch import Tensor

# Methods: how soft-NMS weights the score of an overlapping box.
NAIVE, LINEAR, GAUSSIAN = 0, 1, 2


# Compiled code does not warn of 0 / 0 or of numbers that are too large.
@np.errstate(all='ignore')
def softnms(boxes: Tensor, scores: Tensor, dets: Tensor, iou_threshold: float,
            sigma: float, min_score: float, method: int,
            offset: int) -> Tensor:
    """Lower the scores of boxes that overlap better ones.

    The best box is kept, the others' scores are multiplied by a weight, those
    below ``min_score`` are removed, and so on with the remaining boxes.

    Args:
        boxes: (N, 4) float32.
        scores: (N, ) float32.
        dets: (N, 5) float32, written here: the M boxes that are kept, the
            best first, with their new scores. The other rows stay.
        iou_threshold: the intersection over union from which on a score is
            lowered by methods 0 and 1.
        sigma: the width of method 2.
        min_score: boxes with lower scores are removed.
        method: 0, the weight is 0 (NMS); 1, it is 1 - IoU; 2, it is
            exp(-IoU^2 / sigma), of any two boxes.
        offset: 0 or 1.

    Returns:
        (M, ) int64, the indices of the kept boxes, the best first.

    Raises:
        ValueError: if a tensor is not float32, or the method is another.
    """
    _require_float32(boxes=boxes, scores=scores, dets=dets)
    if method not in (NAIVE, LINEAR, GAUSSIAN):
        raise ValueError(f'method must be 0, 1 or 2, got {method}')
    sides, areas = _columns(boxes, offset)
    score = scores.detach().cpu().numpy().copy()
    threshold, width = np.float32(iou_threshold), np.float32(sigma)
    kept = []
    # Among equal scores the first is the best, so the order in which boxes
    # wait decides. As in mmcv, the first takes the place of the best, and the
    # last that of one that is removed.
    waiting = np.arange(len(score))
    while len(waiting):
        place = _first_largest(score[waiting])
        best = waiting[place]
        kept.append(best)
        waiting[place] = waiting[0]
        waiting = waiting[1:]
        iou = _iou(sides, areas, best, waiting, offset)
        if method == GAUSSIAN:
            exponent = -(iou * iou) / width
            # Rounded from float64, the nearest to what any C library gives.
            weight = np.exp(exponent, dtype=np.float64).astype(np.float32)
        else:
            lowered = 1 - iou if method == LINEAR else np.float32(0)
            weight = np.where(iou >= threshold, lowered, np.float32(1))
        score[waiting] *= weight
        waiting = _fill_gaps(waiting,
                             score[waiting] < np.float32(min_score))
    indices = np.asarray(kept, dtype=np.int64)
    rows = np.column_stack([*sides[:, indices], score[indices]])
    dets[:len(indices)] = torch.from_numpy(rows)
    return torch.from_numpy(indices).to(boxes.device)


@np.errstate(all='ignore')
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float,
        offset: int) -> Tensor:
    """Remove the boxes that overlap better ones.

    Args:
        boxes: (N, 4) float32.
        scores: (N, ), any type.
        iou_threshold: boxes with a larger intersection over union with a
            better one that is kept are removed.
        offset: 0 or 1.

    Returns:
        (M, ) int64, the indices of the kept boxes, the best first.

    Raises:
        ValueError: if the boxes are not float32.
    """
    _require_float32(boxes=boxes)
    sides, areas = _columns(boxes, offset)
    kept = []
    waiting = scores.detach().cpu().sort(0, descending=True)[1].numpy()
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        iou = _iou(sides, areas, best, waiting, offset)
        waiting = waiting[~(iou > np.float32(iou_threshold))]
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def _require_float32(**tensors: Tensor) -> None:
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32:
            raise ValueError(f'{name} must be float32, got {tensor.dtype}: '
                             f'hand over {name}.float()')


def _columns(boxes: Tensor, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) to x1, y1, x2, y2 of all boxes, (4, N), and areas (N, )."""
    x1, y1, x2, y2 = sides = np.ascontiguousarray(
        boxes.detach().cpu().numpy().T)
    return sides, (x2 - x1 + offset) * (y2 - y1 + offset)


def _iou(sides: np.ndarray, areas: np.ndarray, one: np.int64,
         others: np.ndarray, offset: int) -> np.ndarray:
    """Intersection over union of one box with M others: (M, ) float32.

    NaN for two boxes without area: no comparison with a threshold holds.
    """
    x1, y1, x2, y2 = sides[:, one]
    x1s, y1s, x2s, y2s = sides[:, others]
    width = np.minimum(x2, x2s) - np.maximum(x1, x1s) + offset
    height = np.minimum(y2, y2s) - np.maximum(y1, y1s) + offset
    zero = np.float32(0)
    intersection = np.maximum(zero, width) * np.maximum(zero, height)
    return intersection / (areas[one] + areas[others] - intersection)


def _first_largest(scores: np.ndarray) -> int:
    """Return the index where mmcv's search for the largest score ends.

    NaN compares larger with no score, and no score with NaN. NumPy takes the
    first of equal ones.
    """
    unknown = np.isnan(scores)
    if unknown[0]:
        return 0
    return int(np.argmax(np.where(unknown, -np.inf, scores)))


def _fill_gaps(waiting: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Remove boxes; the last ones that stay take their places."""
    count = len(waiting) - np.count_nonzero(removed)
    gaps = np.flatnonzero(removed[:count])
    behind = count + np.flatnonzero(~removed[count:])
    waiting[gaps] = waiting[behind[::-1]]
    return waiting[:count]
