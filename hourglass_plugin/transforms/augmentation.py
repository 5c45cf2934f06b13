"""Random flip, scale, rotation and colour, and their seed.

The geometric transforms only record their choice; ``TopdownCrop`` then warps
once, straight from the image to the crop. MMPose's ``RandomBBoxTransform``
cannot express the paper's scale and rotation: it draws from a normal
distribution that is cut at one standard deviation.
"""
import random

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Seed all random transforms that follow, MMPose's too.

    The first transform of a training pipeline. With ``SeededSampler``, Python
    and NumPy are seeded for each sample from (seed, epoch, position); without
    it, as when a dataset is indexed by hand, they are not.
    """

    def transform(self, results: dict) -> dict:
        """Seed from ``sample_idx``, which mmengine's datasets set."""
        seed = getattr(results['sample_idx'], 'seed', None)
        if seed is not None:
            # Mixes the three numbers, so that neighbours have nothing in
            # common; NumPy's global generator takes 32 bits.
            mixed = int(np.random.SeedSequence(seed).generate_state(1)[0])
            np.random.seed(mixed)
            random.seed(mixed)
        return results


def _check_prob(name: str, prob: float) -> None:
    if not 0 <= prob <= 1:
        raise ValueError(f'{name} must be between 0 and 1, but is {prob}')


@TRANSFORMS.register_module()
class RandomHorizontalFlip(BaseTransform):
    """Let ``TopdownCrop`` flip the image, without a copy as ``RandomFlip``.

    Raises:
        ValueError: if ``prob``, the share that is flipped, is not in [0, 1].
    """

    def __init__(self, prob: float = 0.5) -> None:
        _check_prob('prob', prob)
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Set ``pending_flip``; ``flip`` is for images that are flipped."""
        results['pending_flip'] = bool(np.random.uniform() < self.prob)
        return results


@TRANSFORMS.register_module()
class RandomScaleRotation(BaseTransform):
    """Multiply ``bbox_scale`` by a random factor and set ``bbox_rotation``.

    - ``sampling='paper'`` (section 3.2): the factor is uniform in 1 plus or
      minus ``scale_factor``, the angle in plus or minus ``rotation_factor``.
    - ``sampling='lua'``, the paper's Torch code, wider than the paper says:
      with independent standard normal n that are clipped to plus or minus 2,
      the factor is 2^(scale_factor * n) and the angle rotation_factor * n.

    Args:
        sampling: ``'lua'`` or ``'paper'``.
        scale_factor: see above.
        rotation_factor: degrees, see above.
        rotation_prob: share of samples that are rotated; None is 0.4 for
            ``'lua'``, as in the code, and 1 for ``'paper'``.

    Raises:
        ValueError: if ``sampling`` is unknown or ``rotation_prob`` is not
            between 0 and 1.
    """

    def __init__(self, sampling: str = 'lua', scale_factor: float = 0.25,
                 rotation_factor: float = 30.0,
                 rotation_prob: float | None = None) -> None:
        if sampling not in ('lua', 'paper'):
            raise ValueError(
                f"sampling must be 'lua' or 'paper', but is {sampling!r}")
        if rotation_prob is None:
            rotation_prob = 0.4 if sampling == 'lua' else 1.0
        _check_prob('rotation_prob', rotation_prob)
        self.sampling = sampling
        self.scale_factor = scale_factor
        self.rotation_factor = rotation_factor
        self.rotation_prob = rotation_prob

    def sample(self) -> tuple[float, float]:
        """Draw a factor and an angle in degrees."""
        if self.sampling == 'paper':
            factor = np.random.uniform(1 - self.scale_factor,
                                       1 + self.scale_factor)
            degrees = np.random.uniform(-self.rotation_factor,
                                        self.rotation_factor)
        else:
            exponent, angle = np.clip(np.random.standard_normal(2), -2, 2)
            factor = 2**(exponent * self.scale_factor)
            degrees = angle * self.rotation_factor
        if self.rotation_prob < 1 and (np.random.uniform()
                                       >= self.rotation_prob):
            degrees = 0.0
        return factor, degrees

    def transform(self, results: dict) -> dict:
        """Change ``bbox_scale`` (1, 2); set ``bbox_rotation`` (1,)."""
        factor, degrees = self.sample()
        results['bbox_scale'] = results['bbox_scale'] * np.float32(factor)
        results['bbox_rotation'] = np.array([degrees], np.float32)
        return results


@TRANSFORMS.register_module()
class RandomChannelGain(BaseTransform):
    """Multiply each colour channel by its own factor, as the paper's code.

    Args:
        gain_range: the factors are uniform in this range; values are clipped
            to the image's range.
    """

    def __init__(self, gain_range: tuple[float, float] = (0.6, 1.4)) -> None:
        self.gain_range = gain_range

    def transform(self, results: dict) -> dict:
        """Change ``img``, (H, W, 3) uint8."""
        gains = np.random.uniform(*self.gain_range, 3)
        # A table of all 256 values a channel costs less than the image.
        table = np.clip(np.arange(256)[:, None] * gains, 0, 255)
        table = np.rint(table).astype(np.uint8)
        results['img'] = cv2.LUT(results['img'], table[None])
        return results
