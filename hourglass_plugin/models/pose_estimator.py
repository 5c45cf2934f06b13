"""MMPose's top-down estimator with a cheaper flip test.

Shape shorthand: B batch, H W input size.
"""
from typing import Any

import torch
from mmpose.models.pose_estimators.topdown import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from .consistency import check_model


@MODELS.register_module()
class HourglassPoseEstimator(TopdownPoseEstimator):
    """``TopdownPoseEstimator`` with image and flipped image in one batch.

    Where that is faster: on GPUs, and on CPUs for one image or fewer than
    threads. The results are the same, and on CPUs bit-equal for an image alone
    and among others, so that they do not depend on how many processes
    evaluate. Arguments are MMPose's.

    Raises:
        ValueError: if network, head, codec and ``test_cfg`` disagree; see
            :func:`hourglass_plugin.models.consistency.check_model`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_model(self)

    def predict(self, inputs: Tensor,
                data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Give B samples of (B, 3, H, W) inputs their ``pred_instances``.

        With ``output_heatmaps`` also ``pred_fields``.
        """
        if not self.test_cfg.get('flip_test', False):
            return super().predict(inputs, data_samples)
        flipped = inputs.flip(-1)
        if _is_faster_together(inputs):
            both = self.extract_feat(torch.cat([inputs, flipped]))
            feats = list(zip(*(x.chunk(2) for x in both)))
        else:
            feats = [self.extract_feat(inputs), self.extract_feat(flipped)]
        predictions = self.head.predict(
            feats, data_samples, test_cfg=self.test_cfg)
        if not isinstance(predictions, tuple):
            predictions = predictions, None
        return self.add_pred_to_datasample(*predictions, data_samples)


def _is_faster_together(images: Tensor) -> bool:
    """Return True where one batch of 2B takes less time than two of B."""
    if images.device.type != 'cpu':
        return True
    # With an image for each thread, more only leave the caches. But PyTorch
    # has other code for one image than for several, whose last bits differ.
    return len(images) == 1 or len(images) < torch.get_num_threads()
