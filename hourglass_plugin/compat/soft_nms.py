"""NMS and soft-NMS where mmcv has no compiled operators.

Non-maximum suppression (NMS) removes boxes that overlap a better one; soft-NMS
(Bodla et al., "Soft-NMS: improving object detection with one line of code",
ICCV 2017), which CornerNet uses, lowers its score instead.

The two functions stand in for the compiled operators of their names in
``mmcv._ext``, which ``mmcv.ops`` calls. They keep the same boxes with the same
scores, up to rounding; of equal scores the first counts as the better one. All
computation is in float32 on the CPU.

N boxes are (N, 4), ``x1, y1, x2, y2``. A side is ``x2 - x1 + offset``: 1 where
coordinates are those of the first and the last pixel, 0 where they are edges.
"""
import numpy as np
import torch
from torch import Tensor


def softnms(boxes: Tensor, scores: Tensor, dets: Tensor, iou_threshold: float,
            sigma: float, min_score: float, method: int,
            offset: int) -> Tensor:
    """Lower the scores of boxes that overlap better ones.

    The best box is kept, the others' scores are multiplied by a weight, those
    below ``min_score`` are removed, and so on with the remaining boxes.

    Args:
        boxes: (N, 4) float.
        scores: (N, ) float.
        dets: (N, 5) float, written here: the M boxes that are kept, the best
            first, with their new scores. The other rows stay.
        iou_threshold: from which on methods 0 and 1 lower a score.
        sigma: the width of method 2.
        min_score: boxes with lower scores are removed.
        method: 0, the weight is 0 (NMS); 1, it is 1 - IoU; 2, it is
            exp(-IoU^2 / sigma), of any two boxes.
        offset: 0 or 1.

    Returns:
        (M, ) int64, the indices of the kept boxes, the best first.
    """
    corners, score = _array(boxes), _array(scores).copy()
    waiting = np.arange(len(score))
    kept = []
    while len(waiting):
        best = waiting[np.argmax(score[waiting])]
        kept.append(best)
        waiting = waiting[waiting != best]
        iou = _iou(corners[best], corners[waiting], offset)
        weight = np.exp(-iou**2 / sigma)
        if method != 2:
            weight = np.where(iou >= iou_threshold, method * (1 - iou), 1)
        score[waiting] *= weight
        waiting = waiting[score[waiting] >= min_score]
    indices = torch.tensor(kept, dtype=torch.int64, device=boxes.device)
    dets[:len(kept), :4] = boxes[indices]
    dets[:len(kept), 4] = torch.from_numpy(score)[kept]
    return indices


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float,
        offset: int) -> Tensor:
    """Remove the boxes that overlap better ones.

    Args:
        boxes: (N, 4) float.
        scores: (N, ), any type.
        iou_threshold: boxes with a larger intersection over union with a
            better one that is kept are removed.
        offset: 0 or 1.

    Returns:
        (M, ) int64, the indices of the kept boxes, the best first.
    """
    kept = boxes.new_empty(len(boxes), 5)
    least = float(np.nextafter(np.float32(iou_threshold), np.float32(2)))
    ranks = scores.argsort(descending=True, stable=True).argsort()
    # Scores of any sign and type: by rank, from N down to 1.
    return softnms(boxes, len(boxes) - ranks, kept, least, 1.0, 0.5, 0, offset)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()


def _iou(one: np.ndarray, others: np.ndarray, offset: int) -> np.ndarray:
    """Intersection over union of a box (4, ) with M others: (M, ) float32."""
    lows = np.maximum(one[:2], others[:, :2])
    highs = np.minimum(one[2:], others[:, 2:])
    intersection = np.maximum(highs - lows + offset, 0).prod(1)
    areas = (others[:, 2:] - others[:, :2] + offset).prod(1)
    union = (one[2:] - one[:2] + offset).prod() + areas - intersection
    # Boxes without area overlap none.
    return np.divide(intersection, union, np.zeros_like(union),
                     where=union > 0)
