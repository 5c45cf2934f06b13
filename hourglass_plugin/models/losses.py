"""Loss and accuracy of heatmaps, computed without leaving the device.

Shape shorthand: B batch, K keypoints, H W heatmap size.
"""
from typing import Optional

import torch.nn.functional as F
from torch import Tensor


def heatmap_loss(predicted: Tensor,
                 target: Tensor,
                 keypoint_weights: Optional[Tensor] = None) -> Tensor:
    """Mean squared error of one stack's heatmaps.

    mean over B, K, H and W of ``w * (predicted - target)^2``: cells of
    keypoints with weight 0 add nothing but count in the mean, as in MMPose.

    Args:
        predicted: (B, K, H, W) float.
        target: (B, K, H, W) float.
        keypoint_weights: (B, K) w, or ``None`` for 1 everywhere.

    Returns:
        A scalar in float32, whatever the precision of the prediction.
    """
    predicted, target = predicted.float(), target.float()
    if keypoint_weights is None:
        return F.mse_loss(predicted, target)
    errors = F.mse_loss(predicted, target, reduction='none').mean((2, 3))
    return (keypoint_weights * errors).mean()


def heatmap_accuracy(predicted: Tensor, target: Tensor,
                     keypoint_weights: Tensor) -> Tensor:
    """Share of keypoints whose maximum lies close to the target's.

    Close means less than a twentieth of the heatmap's sides apart, as in
    MMPose's training accuracy.

    Args:
        predicted: (B, K, H, W) float.
        target: (B, K, H, W) float.
        keypoint_weights: (B, K); keypoints of weight 0 do not count.

    Returns:
        A scalar in [0, 1] on the device of the prediction; 0 if no keypoint
        counts.
    """
    height, width = target.shape[2:]
    predicted_cell = predicted.detach().flatten(2).argmax(2)  # (B, K)
    target_cell = target.flatten(2).argmax(2)  # (B, K)
    x = (predicted_cell % width - target_cell % width) / width
    y = (predicted_cell // width - target_cell // width) / height
    counted = keypoint_weights > 0
    close = (x**2 + y**2 < 0.05**2) & counted
    return close.sum() / counted.sum().clamp(min=1)
