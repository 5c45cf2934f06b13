"""Random mirror images, scale, rotation and colour.

The geometric transforms only say what is to be done; ``TopdownCrop`` then warps
once, straight from the photograph to the crop. Scale and rotation cannot be
expressed by MMPose's ``RandomBBoxTransform``, which draws from a normal
distribution cut at one standard deviation.
"""
from abc import abstractmethod

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomHorizontalFlip(BaseTransform):
    """Have ``TopdownCrop`` mirror the photograph, or not.

    MMPose's ``RandomFlip`` needs the photograph, and copies it.

    Args:
        probability: share of samples that are mirrored.

    Raises:
        ValueError: if ``probability`` is not between 0 and 1.
    """

    def __init__(self, probability: float = 0.5) -> None:
        if not 0 <= probability <= 1:
            raise ValueError('probability must be between 0 and 1, but is '
                             f'{probability}')
        self.probability = probability

    def transform(self, results: dict) -> dict:
        """Sets ``mirror``."""
        results['mirror'] = bool(np.random.uniform() < self.probability)
        return results


class _ScaleRotation(BaseTransform):
    """Multiplies ``bbox_scale`` by a factor and sets ``bbox_rotation``."""

    @abstractmethod
    def sample(self) -> tuple[float, float]:
        """Draw a factor and an angle in degrees."""

    def transform(self, results: dict) -> dict:
        """Needs ``bbox_scale`` (1, 2); sets ``bbox_rotation`` (1,)."""
        factor, degrees = self.sample()
        results['bbox_scale'] = results['bbox_scale'] * np.float32(factor)
        results['bbox_rotation'] = np.array([degrees], np.float32)
        return results


@TRANSFORMS.register_module()
class PaperScaleRotation(_ScaleRotation):
    """Augmentation of the paper's section 3.2: rotation and scaling.

    Args:
        max_rotation: degrees; the angle is uniform in plus or minus this.
        scale_range: the box's scale is multiplied by a uniform factor.
    """

    def __init__(self,
                 max_rotation: float = 30.0,
                 scale_range: tuple[float, float] = (0.75, 1.25)) -> None:
        self.max_rotation = max_rotation
        self.scale_range = scale_range

    def sample(self) -> tuple[float, float]:
        """Draw a factor and an angle in degrees."""
        return (np.random.uniform(*self.scale_range),
                np.random.uniform(-self.max_rotation, self.max_rotation))


@TRANSFORMS.register_module()
class TorchCodeScaleRotation(_ScaleRotation):
    """Augmentation of the paper's Torch code, wider than the paper says.

    Scale times 2^clip(scale_deviation * n, +-2 scale_deviation) and rotation
    by clip(rotation_deviation * n, +-2 rotation_deviation) degrees, n standard
    normal; no rotation with probability 1 - rotation_probability.

    Args:
        scale_deviation: of the binary logarithm of the factor.
        rotation_deviation: degrees.
        rotation_probability: share of samples that are rotated.
    """

    def __init__(self,
                 scale_deviation: float = 0.25,
                 rotation_deviation: float = 30.0,
                 rotation_probability: float = 0.4) -> None:
        self.scale_deviation = scale_deviation
        self.rotation_deviation = rotation_deviation
        self.rotation_probability = rotation_probability

    def sample(self) -> tuple[float, float]:
        """Draw a factor and an angle in degrees."""
        exponent, rotation = np.clip(np.random.standard_normal(2), -2, 2)
        if np.random.uniform() >= self.rotation_probability:
            rotation = 0.0
        return (2**(exponent * self.scale_deviation),
                rotation * self.rotation_deviation)


@TRANSFORMS.register_module()
class RandomChannelGain(BaseTransform):
    """Multiply each colour channel by its own factor, as the paper's code.

    Args:
        gain_range: the factors are uniform in this range; values are clipped
            to the image's range.
    """

    def __init__(self,
                 gain_range: tuple[float, float] = (0.6, 1.4)) -> None:
        self.gain_range = gain_range

    def transform(self, results: dict) -> dict:
        """Needs ``img`` (H, W, 3) uint8."""
        gains = np.random.uniform(*self.gain_range, 3)
        # A table of all 256 values a channel costs less than the image.
        table = np.clip(np.arange(256)[:, None] * gains, 0, 255)
        table = np.rint(table).astype(np.uint8)
        results['img'] = cv2.LUT(results['img'], table[None])
        return results
