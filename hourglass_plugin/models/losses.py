"""Loss and accuracy of heatmaps, computed without leaving the device.

Shape shorthand: B batch, S stacks, N people in all images of a batch, K
keypoints, H W heatmap size.
"""
from collections.abc import Sequence
from typing import Any, Optional

import torch
from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS
from torch import Tensor

from ..codecs.heatmaps import heatmap_maximum


def heatmap_losses(predicted: Sequence[Tensor],
                   target: Tensor,
                   keypoint_weights: Optional[Tensor] = None
                   ) -> tuple[Tensor, ...]:
    """Mean squared error of every stack's heatmaps against one target.

    For each stack the mean over B, K, H and W of
    ``w * (predicted - target)^2``: cells of keypoints with weight 0 add
    nothing but count in the mean, as in MMPose.

    Stack after stack goes through one float32 buffer, and nothing but the
    predictions themselves is kept for the gradients: neither errors, nor
    float32 copies of half-precision predictions, nor copies of the target.

    Args:
        predicted: S tensors (B, K, H, W), float of any precision.
        target: (B, K, H, W) float.
        keypoint_weights: (B, K) w, or ``None`` for 1 everywhere.

    Returns:
        S scalars in float32, whatever the precision of the predictions.
    """
    last = predicted[-1]
    layout = torch.contiguous_format
    if not last.is_contiguous() and last.is_contiguous(
            memory_format=torch.channels_last):
        layout = torch.channels_last
    # In the predictions' memory format, in which each stack is then compared.
    target = target.float().contiguous(memory_format=layout)
    return _StackErrors.apply(target, keypoint_weights, *predicted).unbind()


class _StackErrors(torch.autograd.Function):
    """(S,) float32 errors, and the predictions' gradients."""

    @staticmethod
    def forward(ctx: Any, target: Tensor, weights: Optional[Tensor],
                *predicted: Tensor) -> Tensor:
        ctx.save_for_backward(target, weights, *predicted)
        difference = torch.empty_like(target)
        errors = []
        for heatmaps in predicted:
            difference.copy_(heatmaps).sub_(target)
            squares = difference.square_()
            if weights is not None:
                squares = weights * squares.sum((2, 3))
            errors.append(squares.sum() / target.numel())
        return torch.stack(errors)

    @staticmethod
    def backward(ctx: Any,
                 gradient: Tensor) -> tuple[Optional[Tensor], ...]:
        target, weights, *predicted = ctx.saved_tensors
        # d/dp of w (p - t)^2 / N
        factors = gradient * (2 / target.numel())
        gradients = []
        for heatmaps, factor in zip(predicted, factors):
            if weights is not None:
                factor = (factor * weights)[:, :, None, None]
            slope = (heatmaps.float() - target).mul_(factor)
            gradients.append(slope.to(heatmaps.dtype))
        return (None, None, *gradients)


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
    x, y, _ = heatmap_maximum(predicted.detach())  # (B, K)
    target_x, target_y, _ = heatmap_maximum(target)
    x, y = (x - target_x) / width, (y - target_y) / height
    counted = keypoint_weights > 0
    close = (x**2 + y**2 < 0.05**2) & counted
    return close.sum() / counted.sum().clamp(min=1)


@MODELS.register_module()
class PeopleMSELoss(KeypointMSELoss):
    """MMPose's mean squared error of heatmaps, blind to the weights of people.

    ``AssociativeEmbeddingHead`` hands over N people's weights beside the B
    images' heatmaps, which hold everybody, and ``KeypointMSELoss`` refuses
    what does not fit. Nothing is lost: a keypoint of weight 0 is in no
    heatmap, and the mask leaves out whom nobody annotated.
    """

    def forward(self,
                output: Tensor,
                target: Tensor,
                target_weights: Optional[Tensor] = None,
                mask: Optional[Tensor] = None) -> Tensor:
        """The mean of the squared errors where the mask is.

        Args:
            output: (B, K, H, W) float, predicted.
            target: (B, K, H, W) float.
            target_weights: (N, K), ignored.
            mask: (B, 1, H, W) bool, or ``None`` for everywhere.
        """
        return super().forward(output, target, None, mask)
