"""The codecs: keypoints of a person to heatmaps, and back."""
import math

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from ..skeletons import FLIC, LSP, MPII, Skeleton
from .heatmaps import decode_heatmaps, draw_heatmaps, place_keypoints


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
        encode_on_device: send keypoints from loader processes, less than a
            hundredth of the heatmaps' bytes; :class:`MultiStageHeatmapHead`
            draws the same heatmaps from them on its device.

    Raises:
        ValueError: if a size, ``sigma`` or ``refinement`` is out of range.
    """

    #: The dataset whose joints are encoded; None takes any number.
    skeleton: Skeleton | None = None
    #: Heatmaps of the flipped image line up without a shift by a cell.
    flip_shift = False

    def __init__(self, input_size: tuple[int, int],
                 heatmap_size: tuple[int, int], sigma: float = 1.0,
                 refinement: str = 'quarter',
                 encode_on_device: bool = False) -> None:
        super().__init__()
        for name, size in dict(
                input_size=input_size, heatmap_size=heatmap_size).items():
            if np.shape(size) != (2, ) or any(
                    not 3 <= side < math.inf or side % 1 for side in size):
                raise ValueError(f'{name} must be width and height, whole '
                                 f'numbers of 3 or more, but is {size}')
        if any(np.greater(heatmap_size, input_size)):
            raise ValueError(f'heatmap_size={heatmap_size} is larger than '
                             f'input_size={input_size}: set a quarter of it')
        if not 0 < sigma < math.inf:
            raise ValueError(f'sigma must be positive, but it is {sigma!r}')
        if refinement not in ('quarter', 'subpixel', 'none'):
            raise ValueError(f'unknown refinement={refinement!r}; choose '
                             "'quarter', 'subpixel' or 'none'")
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.stride = tuple(
            pixels / cells for pixels, cells in zip(input_size, heatmap_size))
        self.sigma = sigma
        self.refinement = refinement
        self.exact_centers = refinement == 'subpixel'
        self.encode_on_device = encode_on_device
        # encode()'s result -> field or label of MMPose's samples.
        self.label_mapping_table = dict(keypoint_weights='keypoint_weights')
        self.field_mapping_table = dict(heatmaps='heatmaps')
        if encode_on_device:
            self.label_mapping_table['keypoint_labels'] = 'keypoint_labels'
            self.field_mapping_table = {}

    def encode(self, keypoints: np.ndarray,
               keypoints_visible: np.ndarray | None = None) -> dict:
        """Keypoints of one person to heatmaps, or to what draws them.

        Args:
            keypoints: (1, K, 2) x and y in input pixels.
            keypoints_visible: (1, K), above 0 where annotated; default: all.

        Returns:
            ``keypoint_weights``, (1, K) float32, 1 for annotated keypoints
            inside the input and 0 for others, and ``heatmaps``, (K, H, W)
            float32, or with ``encode_on_device`` ``keypoint_labels``,
            (1, K, 2) float32, for :meth:`draw`.

        Raises:
            ValueError: if the shapes do not fit, or there are several people.
        """
        keypoints = np.asarray(keypoints)
        if keypoints.ndim != 3 or keypoints.shape[::2] != (1, 2):
            raise ValueError(f'keypoints {keypoints.shape} must be (1, K, 2): '
                             'encode one person at a time')
        count = keypoints.shape[1]
        if self.skeleton and count != self.skeleton.num_keypoints:
            raise ValueError(
                f'{type(self).__name__} encodes {self.skeleton.num_keypoints} '
                f'keypoints, but got {count}; use HourglassHeatmap for others')
        # Where keypoints are sent, the weights are those of the sent numbers.
        dtype = np.float32 if self.encode_on_device else np.float64
        points = torch.from_numpy(keypoints.astype(dtype))
        weights = place_keypoints(points, self.heatmap_size, self.stride,
                                  self.exact_centers)[1].numpy()
        if keypoints_visible is not None:
            visible = np.asarray(keypoints_visible)
            if visible.shape != (1, count):
                raise ValueError(f'keypoints_visible has shape {visible.shape}'
                                 f', but must have (1, {count})')
            weights &= visible > 0
        encoded = dict(keypoint_weights=weights.astype(np.float32))
        if self.encode_on_device:
            return dict(encoded, keypoint_labels=points.numpy())
        heatmaps = self.draw(points, torch.from_numpy(weights))
        return dict(encoded, heatmaps=heatmaps[0].numpy())

    def draw(self, keypoint_labels: Tensor,
             keypoint_weights: Tensor) -> Tensor:
        """Heatmaps of a batch on its device, as ``encode`` draws them.

        Args:
            keypoint_labels: (B, K, 2) x and y in input pixels.
            keypoint_weights: (B, K); keypoints of weight 0 give zeros.

        Returns:
            (B, K, H, W) float32.
        """
        return draw_heatmaps(keypoint_labels, keypoint_weights,
                             self.heatmap_size, self.stride, self.sigma,
                             self.exact_centers)

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find one person's keypoints in heatmaps (K, H, W).

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
            B keypoints (1, K, 2) in input pixels and scores (1, K), float32.

        Raises:
            ValueError: if the heatmaps are not of the codec's size.
        """
        size = tuple(batch_encoded.shape[:1:-1])
        if batch_encoded.ndim != 4 or size != self.heatmap_size:
            raise ValueError(f'heatmaps {tuple(batch_encoded.shape)} are not '
                             f'(B, K, H, W) with (W, H)={self.heatmap_size}')
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
