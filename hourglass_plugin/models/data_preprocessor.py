"""From the loader's batch to the network's input, without waiting.

Shape shorthand: B batch, H W input size.
"""
from typing import Any

from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class HourglassDataPreprocessor(PoseDataPreprocessor):
    """MMPose's ``PoseDataPreprocessor`` that never waits for the device.

    MMPose's waits twice in each step: for the copy of the batch, and where it
    reorders channels by a list, which is copied too. Results are equal.

    Args:
        non_blocking: False waits for the copy of the batch.
        arguments: MMPose's other ones.
    """

    def __init__(self, non_blocking: bool = True, **arguments: Any) -> None:
        super().__init__(non_blocking=non_blocking, **arguments)
        self._reverses_channels = bool(self._channel_conversion)
        self._channel_conversion: bool = False

    def forward(self, data: dict, training: bool = False) -> dict | list:
        """Move a batch to the device, as float, normalised.

        Args:
            data: ``inputs``, (B, 3, H, W) or B times (3, H, W) uint8, and
                ``data_samples``.
            training: whether batches are augmented.

        Returns:
            ``inputs`` (B, 3, H, W) float32 and ``data_samples``.
        """
        data = self.cast_data(data)
        if self._reverses_channels:
            images = data['inputs']
            reverse = (images.flip(1) if isinstance(images, Tensor) else
                       [image.flip(0) for image in images])
            data = dict(data, inputs=reverse)
        return super().forward(data, training)
