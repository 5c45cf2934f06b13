"""The codec that MMPose 1.3.2 lacks to train its associative embedding.

Its one config of that kind has an empty training pipeline; this codec and
``PeopleMSELoss`` make the pipeline of its other bottom-up models do.

Shape shorthand: N people, K keypoints, H W heatmap size.
"""
from typing import ClassVar, Optional

import numpy as np
from mmpose.codecs import AssociativeEmbedding
from mmpose.registry import KEYPOINT_CODECS


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
