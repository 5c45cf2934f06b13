"""From the loader's batch to the network's input, without waiting.

Shape shorthand: B batch, H W input size.
"""
from typing import Any, Union

from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class HourglassDataPreprocessor(PoseDataPreprocessor):
    """MMPose's ``PoseDataPreprocessor`` that never waits for the device.

    MMPose's waits twice in each step: for the copy of the batch, and where
    channels are reordered by a list, which is copied too. The results are the
    same.

    Args:
        bgr_to_rgb: reverse the channels.
        rgb_to_bgr: the same.
        non_blocking: False waits for the copy of the batch.
        arguments: MMPose's other ones.
    """

    def __init__(self,
                 bgr_to_rgb: bool = False,
                 rgb_to_bgr: bool = False,
                 non_blocking: bool = True,
                 **arguments: Any) -> None:
        super().__init__(
            bgr_to_rgb=bgr_to_rgb,
            rgb_to_bgr=rgb_to_bgr,
            non_blocking=non_blocking,
            **arguments)
        self._reverses_channels = bgr_to_rgb or rgb_to_bgr
        self._channel_conversion = False

    def forward(self, data: dict, training: bool = False) -> Union[dict, list]:
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
            if isinstance(images, (list, tuple)):
                images = [image.flip(0) for image in images]
            else:
                images = images.flip(1)
            data = dict(data, inputs=images)
        return super().forward(data, training)
