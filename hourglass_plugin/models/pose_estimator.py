"""MMPose's top-down estimator with a cheaper flip test.

Shape shorthand: B batch, S stacks, H W input size.
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
    """``TopdownPoseEstimator`` that mirrors within the batch.

    For the flip test MMPose runs the network twice. Here image and mirror
    image are one batch of 2B where that is faster: on GPUs, unless their
    memory is too small, which is found out once; and on processors for one
    image, or fewer than threads. The results are the same, and on processors
    equal to the bit for an image alone and among others, so that they do not
    depend on how many processes evaluate. Arguments are MMPose's.

    Raises:
        ValueError: if network, head, codec and ``test_cfg`` disagree; see
            :func:`hourglass_plugin.config_checks.check_model`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_model(self)
        self._doubles_fit = True

    def predict(self, inputs: Tensor,
                data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Poses of a batch, see MMPose.

        Args:
            inputs: (B, 3, H, W) float.
            data_samples: B samples; they get ``pred_instances`` and, with
                ``output_heatmaps``, ``pred_fields``.
        """
        if not self.test_cfg.get('flip_test', False):
            return super().predict(inputs, data_samples)
        predictions = self.head.predict(
            list(self._features_with_mirrored(inputs)),
            data_samples,
            test_cfg=self.test_cfg)
        fields = None
        if isinstance(predictions, tuple):
            predictions, fields = predictions
        return self.add_pred_to_datasample(predictions, fields, data_samples)

    def _features_with_mirrored(
            self, images: Tensor) -> tuple[tuple[Tensor, ...], ...]:
        """What the network returns for images and for mirrored images."""
        mirrored = images.flip(-1)
        if self._doubles(images):
            try:
                features = self.extract_feat(torch.cat([images, mirrored]))
            except torch.cuda.OutOfMemoryError:
                self._doubles_fit = False
            else:
                halves = [x.chunk(2) for x in features]
                return tuple(zip(*halves))
        return self.extract_feat(images), self.extract_feat(mirrored)

    def _doubles(self, images: Tensor) -> bool:
        """Whether image and mirror image go through the network together."""
        if images.device.type == 'cpu':
            # With an image for each thread, more only leave the caches. But
            # PyTorch has other code for one image than for several, whose
            # last bits differ.
            return len(images) == 1 or len(images) < torch.get_num_threads()
        return self._doubles_fit
