"""Keypoints to Gaussian heatmaps and back, as in the paper.

Shape shorthand: B batch, N people (1 here), K keypoints, H W heatmap size.

Pixel convention, for both directions: input coordinates are 0-based and the
centre of the top-left pixel is (0, 0). Heatmap cell c covers the input
coordinates [c * stride, (c + 1) * stride), so a keypoint's cell is its
coordinate divided by the stride and truncated (Newell et al., ECCV 2016, and
their code), and a cell decodes to its middle, (c + 0.5) * stride. Decoding is
then unbiased. Mirroring the image sends pixel x to W - 1 - x and cell c to
W/stride - 1 - c, which agree for every whole x: mirrored heatmaps line up
without a shift. Between whole pixels they do not: averaged with the mirror
image's, heatmaps are on average half an input pixel too far to the right.

With ``refinement='subpixel'``, which the paper has not, positions are kept
exactly, and there cells end where pixels do: cell c covers the input
coordinates [c * stride - 0.5, (c + 1) * stride - 0.5). Mirrored heatmaps then
line up for every x.
"""
from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from ..skeletons import FLIC, LSP, MPII, Skeleton

_REFINEMENTS = ('quarter', 'subpixel', 'none')


def encode_heatmaps(keypoints: np.ndarray,
                    heatmap_size: Tuple[int, int],
                    stride: Sequence[float],
                    sigma: float = 1.0,
                    exact_centers: bool = False
                    ) -> Tuple[np.ndarray, np.ndarray]:
    """Draw one 2D Gaussian of height 1 per keypoint.

    A Gaussian is cut to the square of 3 sigma around its centre, as in the
    paper's code. A keypoint outside the input, or not finite, gives zeros.

    Args:
        keypoints: (K, 2) x and y in input pixels.
        heatmap_size: (W, H) in cells.
        stride: input pixels per cell in x and y.
        sigma: standard deviation in cells (1 in the paper).
        exact_centers: centre the Gaussian on the keypoint itself instead of
            on its cell, cells beginning half an input pixel before the first
            pixel's centre.

    Returns:
        Heatmaps, (K, H, W) float32 in [0, 1], and which keypoints are inside
        the input, (K,) bool.
    """
    size = np.asarray(heatmap_size)
    edge = 0.5 if exact_centers else 0.0  # from where the first cell begins
    position = (np.asarray(keypoints, np.float64) + edge) / np.asarray(
        stride)  # (K, 2)
    inside = ((position >= 0) & (position < size)).all(axis=1)  # NaN: False
    # Middle of a cell in cells: truncation leaves the cell's own number, and
    # exact positions count from the middle of cell 0, half a cell inwards.
    center = position - 0.5 if exact_centers else np.floor(position)
    center[~inside] = np.inf
    profiles = []
    for axis in (0, 1):
        distance = np.abs(np.arange(size[axis]) - center[:, axis, None])
        gaussian = np.exp(-distance**2 / (2 * sigma**2))
        profiles.append(np.where(distance <= 3 * sigma, gaussian, 0))
    along_x, along_y = np.asarray(profiles[0]), np.asarray(profiles[1])
    heatmaps = along_y[:, :, None] * along_x[:, None, :]
    return heatmaps.astype(np.float32), inside


def decode_heatmaps(heatmaps: Tensor,
                    stride: Sequence[float],
                    refinement: str = 'quarter') -> Tuple[Tensor, Tensor]:
    """Find each heatmap's maximum and return it in input pixels.

    ``quarter``: from the cell of the maximum a quarter cell towards the higher
    of its two neighbours, in x and in y; only where the cell touches no border
    (the paper's code). ``subpixel``: one Newton step on the logarithm of the
    3x3 neighbourhood, which is exact for a Gaussian (Zhang et al.,
    "Distribution-Aware Coordinate Representation for Human Pose Estimation",
    CVPR 2020), for heatmaps of ``exact_centers``. ``none``: the middle of the
    cell.

    Args:
        heatmaps: (B, K, H, W) float on any device; H and W at least 3.
        stride: input pixels per cell in x and y.
        refinement: ``quarter``, ``subpixel`` or ``none``.

    Returns:
        Keypoints (B, K, 2), x and y in input pixels, and scores (B, K), the
        heights of the maxima; float32 on the device of the heatmaps. Of equal
        maxima any one is returned; a heatmap of zeros scores 0.
    """
    height, width = heatmaps.shape[-2:]
    flat = heatmaps.float().flatten(2)  # (B, K, H * W)
    scores, peak = flat.max(dim=2)  # (B, K)
    x, y = peak % width, torch.div(peak, width, rounding_mode='floor')

    def at(x: Tensor, y: Tensor) -> Tensor:
        return flat.gather(2, (y * width + x).unsqueeze(2)).squeeze(2)

    if refinement == 'quarter':
        offset = _quarter_offset(at, x, y, width, height)
    elif refinement == 'subpixel':
        offset = _subpixel_offset(at, x, y, scores, width, height)
    else:
        offset = torch.zeros(*x.shape, 2, device=x.device)
    cell = torch.stack([x, y], dim=2) + offset  # (B, K, 2)
    edge = 0.5 if refinement == 'subpixel' else 0.0
    return (cell + 0.5) * cell.new_tensor(stride) - edge, scores


def _quarter_offset(at, x: Tensor, y: Tensor, width: int,
                    height: int) -> Tensor:
    """(B, K, 2): a quarter cell towards the higher neighbours."""
    inside_x, inside_y = x.clamp(1, width - 2), y.clamp(1, height - 2)
    difference = torch.stack([
        at(inside_x + 1, y) - at(inside_x - 1, y),
        at(x, inside_y + 1) - at(x, inside_y - 1)
    ], 2)
    interior = (inside_x == x) & (inside_y == y)
    return 0.25 * difference.sign() * interior.unsqueeze(2)


def _subpixel_offset(at, x: Tensor, y: Tensor, scores: Tensor, width: int,
                     height: int) -> Tensor:
    """(B, K, 2): where the parabola through the logarithm has its peak.

    At a border the 3x3 neighbourhood is the nearest one inside, which a
    parabola does not mind. Where the neighbourhood has no peak the cell's
    middle stays.
    """
    x0, y0 = x.clamp(1, width - 2), y.clamp(1, height - 2)
    # Cells at or below zero have no logarithm; e^-9 of the maximum is lower
    # than any cell of the 3x3 neighbourhood in a Gaussian of the paper.
    floor = scores.clamp(min=1e-12) * 1.2e-4

    def log(dx: int, dy: int) -> Tensor:
        return at(x0 + dx, y0 + dy).maximum(floor).log()

    here, left, right = log(0, 0), log(-1, 0), log(1, 0)
    above, below = log(0, -1), log(0, 1)
    dx, dy = (right - left) / 2, (below - above) / 2
    dxx, dyy = right - 2 * here + left, below - 2 * here + above
    dxy = (log(1, 1) - log(-1, 1) - log(1, -1) + log(-1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    is_peak = (determinant > 1e-6) & (dxx < 0)
    safe = torch.where(is_peak, determinant, torch.ones_like(determinant))
    step = torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy],
                       2) / safe.unsqueeze(2)
    from_peak = step + torch.stack([x0 - x, y0 - y], 2)
    # The highest cell holds the maximum, so it is at most half a cell away.
    return from_peak.clamp(-0.5, 0.5) * is_peak.unsqueeze(2)


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

    Raises:
        ValueError: if a size, ``sigma`` or ``refinement`` is out of range.
    """

    label_mapping_table = dict(keypoint_weights='keypoint_weights')
    field_mapping_table = dict(heatmaps='heatmaps')

    #: The data set whose joints are encoded; None takes any number.
    skeleton: Optional[Skeleton] = None

    def __init__(self,
                 input_size: Tuple[int, int],
                 heatmap_size: Tuple[int, int],
                 sigma: float = 1.0,
                 refinement: str = 'quarter') -> None:
        super().__init__()
        for name, size in (('input_size', input_size), ('heatmap_size',
                                                        heatmap_size)):
            if len(size) != 2 or any(
                    int(side) != side or side < 3 for side in size):
                raise ValueError(f'{name} must be two whole numbers, width '
                                 f'and height, of 3 or more, but is {size}')
        if any(side > large for side, large in zip(heatmap_size, input_size)):
            raise ValueError(f'heatmap_size={heatmap_size} is larger than '
                             f'input_size={input_size}')
        if not (np.isfinite(sigma) and sigma > 0):
            raise ValueError(f'sigma must be positive, but it is {sigma}')
        if refinement not in _REFINEMENTS:
            raise ValueError(f'refinement={refinement!r} is unknown; choose '
                             f'from {", ".join(_REFINEMENTS)}')
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.stride = tuple(
            pixels / cells for pixels, cells in zip(input_size, heatmap_size))
        self.sigma = sigma
        self.refinement = refinement

    def encode(self,
               keypoints: np.ndarray,
               keypoints_visible: Optional[np.ndarray] = None) -> dict:
        """Keypoints of one person to heatmaps.

        Args:
            keypoints: (1, K, 2) x and y in input pixels.
            keypoints_visible: (1, K), above 0 where annotated; default: all.

        Returns:
            ``heatmaps``, (K, H, W) float32, zero for keypoints that are not
            annotated or outside the input, and ``keypoint_weights``,
            (1, K) float32, 1 for the others and 0 for these.

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
        annotated = np.ones((1, count)) if keypoints_visible is None else (
            np.asarray(keypoints_visible))
        if annotated.shape != (1, count):
            raise ValueError('keypoints_visible must have shape '
                             f'(1, {count}), but has {annotated.shape}')
        positions = np.where(annotated[0, :, None] > 0, keypoints[0], np.nan)
        heatmaps, inside = encode_heatmaps(
            positions,
            self.heatmap_size,
            self.stride,
            self.sigma,
            exact_centers=self.refinement == 'subpixel')
        return dict(
            heatmaps=heatmaps,
            keypoint_weights=inside[None].astype(np.float32))

    def decode(self, encoded: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Heatmaps (K, H, W) of one person to keypoints (1, K, 2) in input
        pixels and scores (1, K)."""
        keypoints, scores = self.batch_decode(
            torch.from_numpy(np.ascontiguousarray(encoded))[None])
        return keypoints[0], scores[0]

    def batch_decode(
            self, batch_encoded: Tensor
    ) -> Tuple[List[np.ndarray], List[np.ndarray]]:
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
