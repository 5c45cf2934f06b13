"""What MMPose 1.3.2 lacks to train its bottom-up associative embedding.

Its one config of that kind has an empty training pipeline; these two make the
pipeline of its other bottom-up models do.

Shape shorthand: B batch, N people (in all images of a batch, for the loss), K
keypoints, H W heatmap size.
"""
from typing import ClassVar, Optional

import numpy as np
from mmpose.codecs import AssociativeEmbedding
from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import Tensor


@KEYPOINT_CODECS.register_module()
class TrainableAssociativeEmbedding(AssociativeEmbedding):
    """MMPose's codec, with targets that the head can be trained with.

    Two things differ. The places of the keypoints, (N, K, 2), reach the loss:
    ``PackPoseInputs`` packs what a codec's table names, and MMPose's names
    nothing. And a keypoint's cell is the one whose centre is nearest, which
    for cells of 4 pixels lies at 4i + 1.5, where it comes out when heatmaps
    are resized to the image; MMPose takes the cell nearest by 4i, 1.5 pixels
    off, and not the same in the mirrored image.
    """

    label_mapping_table: ClassVar[dict] = dict(
        keypoint_weights='keypoint_weights',
        keypoint_indices='keypoint_indices')

    def encode(self,
               keypoints: np.ndarray,
               keypoints_visible: Optional[np.ndarray] = None) -> dict:
        """Heatmaps and places of the keypoints.

        Args:
            keypoints: (N, K, 2) pixels of the input image.
            keypoints_visible: (N, K), 0 for what is not annotated.

        Returns:
            ``heatmaps`` (K, H, W) float32, ``keypoint_indices`` (N, K, 2)
            int64 (y * W + x and whether it counts) and ``keypoint_weights``
            (N, K) float32.
        """
        if not self.use_udp:  # which puts the outer cells' centres elsewhere
            keypoints = keypoints - (self.scale_factor - 1) / 2
        return super().encode(keypoints, keypoints_visible)


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
