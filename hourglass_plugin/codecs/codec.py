"""The codecs: keypoints of a person to what is learnt, and back."""
from numbers import Real
from typing import Optional

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from ..skeletons import FLIC, LSP, MPII, Skeleton
from .heatmaps import (
    decode_heatmaps,
    draw_heatmaps,
    encode_heatmaps,
    keypoints_inside,
)

_REFINEMENTS = ('quarter', 'subpixel', 'none')


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_size(value: object) -> bool:
    """Whether a value is two whole numbers of 3 or more."""
    return isinstance(value, (tuple, list, np.ndarray)) and len(
        value) == 2 and all(
            _is_number(side) and 3 <= side < float('inf') and int(side) == side
            for side in value)


@KEYPOINT_CODECS.register_module()
class HourglassHeatmap(BaseKeypointCodec):
    """Gaussian heatmaps in the paper's cells, for any number of keypoints.

    Args:
        input_size: (W, H) of the network's input in pixels.
        heatmap_size: (W, H) of the heatmaps in cells; a quarter of the input
            for the stacked hourglass.
        sigma: standard deviation of the Gaussians in cells. 1 in the paper;
            the paper's Torch code draws 1.75.
        refinement: ``'quarter'``, the paper's quarter cell; ``'subpixel'``,
            Gaussians are drawn around the exact positions and decoded to a
            fraction of a cell; or ``'none'``.
        encode_on_device: whether loader processes send keypoints, less than a
            hundredth of the heatmaps' bytes, from which
            :class:`MultiStageHeatmapHead` draws the same heatmaps on its
            device.

    Raises:
        ValueError: if a size, ``sigma`` or ``refinement`` is out of range.
    """

    #: The data set whose joints are encoded; None takes any number.
    skeleton: Optional[Skeleton] = None

    def __init__(self,
                 input_size: tuple[int, int],
                 heatmap_size: tuple[int, int],
                 sigma: float = 1.0,
                 refinement: str = 'quarter',
                 encode_on_device: bool = False) -> None:
        super().__init__()
        for name, size in (('input_size', input_size), ('heatmap_size',
                                                        heatmap_size)):
            if not _is_size(size):
                raise ValueError(f'{name} must be two whole numbers, width '
                                 f'and height, of 3 or more, but is {size}')
        if any(side > large for side, large in zip(heatmap_size, input_size)):
            raise ValueError(f'heatmap_size={heatmap_size} is larger than '
                             f'input_size={input_size}')
        if not (_is_number(sigma) and 0 < sigma < float('inf')):
            raise ValueError(f'sigma must be positive, but it is {sigma!r}')
        if refinement not in _REFINEMENTS:
            raise ValueError(f'refinement={refinement!r} is unknown; choose '
                             f'from {", ".join(_REFINEMENTS)}')
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.stride = tuple(
            pixels / cells for pixels, cells in zip(input_size, heatmap_size))
        self.sigma = sigma
        self.refinement = refinement
        self.exact_centers = refinement == 'subpixel'
        self.encode_on_device = encode_on_device
        # Where MMPose packs what encode() returns.
        self.label_mapping_table = dict(keypoint_weights='keypoint_weights')
        self.field_mapping_table = dict()
        if encode_on_device:
            self.label_mapping_table['keypoint_labels'] = 'keypoint_labels'
        else:
            self.field_mapping_table['heatmaps'] = 'heatmaps'

    def encode(self,
               keypoints: np.ndarray,
               keypoints_visible: Optional[np.ndarray] = None) -> dict:
        """Keypoints of one person to heatmaps, or to what draws them.

        Args:
            keypoints: (1, K, 2) x and y in input pixels.
            keypoints_visible: (1, K), above 0 where annotated; default: all.

        Returns:
            ``keypoint_weights``, (1, K) float32, 0 for keypoints that are not
            annotated or outside the input and 1 for the others, and
            ``heatmaps``, (K, H, W) float32, zero where the weight is 0; or,
            with ``encode_on_device=True``, ``keypoint_labels``, (1, K, 2)
            float32, the keypoints, for :meth:`draw`.

        Raises:
            ValueError: if the shapes do not fit, or there are several people.
        """
        keypoints = np.asarray(keypoints)
        if keypoints.ndim != 3 or keypoints.shape[::2] != (1, 2):
            raise ValueError('keypoints must have shape (1, K, 2), one '
                             f'person, but have {keypoints.shape}')
        count = keypoints.shape[1]
        if self.skeleton and count != self.skeleton.num_keypoints:
            raise ValueError(
                f'{type(self).__name__} encodes the '
                f'{self.skeleton.num_keypoints} keypoints of '
                f'{self.skeleton.name}, but got {count}; for another skeleton '
                'use HourglassHeatmap')
        annotated = None
        if keypoints_visible is not None:
            annotated = np.asarray(keypoints_visible) > 0
            if annotated.shape != (1, count):
                raise ValueError('keypoints_visible must have shape '
                                 f'(1, {count}), but has {annotated.shape}')
            annotated = annotated[0]
        if self.encode_on_device:
            # Rounded first: what is drawn later is judged here.
            keypoints = keypoints.astype(np.float32)
            encoded = dict(keypoint_labels=keypoints)
            _, drawn = keypoints_inside(keypoints[0], self.heatmap_size,
                                        self.stride, self.exact_centers)
            if annotated is not None:
                drawn &= annotated
        else:
            heatmaps, drawn = encode_heatmaps(keypoints[0], self.heatmap_size,
                                              self.stride, self.sigma,
                                              self.exact_centers, annotated)
            encoded = dict(heatmaps=heatmaps)
        encoded['keypoint_weights'] = drawn[None].astype(np.float32)
        return encoded

    def draw(self, keypoint_labels: Tensor,
             keypoint_weights: Tensor) -> Tensor:
        """Heatmaps of a batch on its device, as ``encode`` draws them.

        Args:
            keypoint_labels: (B, K, 2) x and y in input pixels, float32.
            keypoint_weights: (B, K); keypoints of weight 0 give zeros.

        Returns:
            (B, K, H, W) float32.
        """
        return draw_heatmaps(keypoint_labels, keypoint_weights,
                             self.heatmap_size, self.stride, self.sigma,
                             self.exact_centers)

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find one person's keypoints.

        Args:
            encoded: heatmaps (K, H, W).

        Returns:
            Keypoints (1, K, 2) in input pixels and scores (1, K).
        """
        keypoints, scores = self.batch_decode(
            torch.from_numpy(np.ascontiguousarray(encoded))[None])
        return keypoints[0], scores[0]

    def batch_decode(
            self, batch_encoded: Tensor
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Decode on the device; one copy of (B, K, 3) numbers to the host.

        Args:
            batch_encoded: (B, K, H, W) heatmaps on any device.

        Returns:
            For each of the B people keypoints (1, K, 2) in input pixels and
            scores (1, K), float32.

        Raises:
            ValueError: if the heatmaps are not of the codec's size.
        """
        size = tuple(batch_encoded.shape[:1:-1])
        if batch_encoded.ndim != 4 or size != self.heatmap_size:
            raise ValueError(
                f'heatmaps of shape {tuple(batch_encoded.shape)} do not fit '
                'the codec, which expects (B, K, H, W) with width x height '
                f'{self.heatmap_size}')
        keypoints, scores = decode_heatmaps(batch_encoded.detach(),
                                            self.stride, self.refinement)
        decoded = torch.cat([keypoints, scores.unsqueeze(2)], 2).cpu().numpy()
        return list(decoded[:, None, :, :2]), list(decoded[:, None, :, 2])


@KEYPOINT_CODECS.register_module()
class MPIIHeatmap(HourglassHeatmap):
    """:class:`HourglassHeatmap` for the 16 keypoints of MPII."""

    skeleton = MPII


@KEYPOINT_CODECS.register_module()
class FLICHeatmap(HourglassHeatmap):
    """:class:`HourglassHeatmap` for the 11 keypoints of FLIC."""

    skeleton = FLIC


@KEYPOINT_CODECS.register_module()
class LSPHeatmap(HourglassHeatmap):
    """:class:`HourglassHeatmap` for the 14 keypoints of Leeds Sports Pose."""

    skeleton = LSP
