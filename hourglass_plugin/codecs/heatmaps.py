"""Gaussian heatmaps of keypoints, as in the paper: drawn, and read back.

Shape shorthand: B batch, K keypoints, H W heatmap size.

Pixel convention, for both directions: input coordinates are 0-based and the
centre of the top-left pixel is (0, 0). Heatmap cell c covers the input
coordinates [c * stride, (c + 1) * stride), so a keypoint's cell is its
coordinate divided by the stride and truncated (Newell et al., ECCV 2016, and
their code), and a cell decodes to its middle, (c + 0.5) * stride. Decoding is
then unbiased. Mirroring the image sends pixel x to W - 1 - x and cell c to
W/stride - 1 - c, which agree for every whole x: mirrored heatmaps line up
without a shift. Between whole pixels they do not: averaged with the mirror
image's, heatmaps are on average half an input pixel too far to the right.

With exact centres, which the paper has not, positions are kept exactly, and
there cells end where pixels do: cell c covers the input coordinates
[c * stride - 0.5, (c + 1) * stride - 0.5). Mirrored heatmaps then line up for
every x.

Keypoints are drawn by :func:`encode_heatmaps`, one person in the loader's
processes, and by :func:`draw_heatmaps`, a batch on its device. Both divide and
truncate in float64, so that no keypoint is in one cell here and in the next
one there.
"""
from collections.abc import Sequence
from functools import lru_cache
from typing import Optional

import numpy as np
import torch
from torch import Tensor


def keypoints_inside(keypoints: np.ndarray, heatmap_size: Sequence[int],
                     stride: Sequence[float],
                     exact_centers: bool) -> tuple[np.ndarray, np.ndarray]:
    """Place keypoints on the heatmap.

    Args:
        keypoints: (K, 2) x and y in input pixels.
        heatmap_size: (W, H) in cells.
        stride: input pixels per cell in x and y.
        exact_centers: see :func:`encode_heatmaps`.

    Returns:
        Distances to the beginning of the first cell in cells, (K, 2) float64,
        and which keypoints are inside the input, (K,) bool.
    """
    position = keypoints.astype(np.float64)
    if exact_centers:
        position += 0.5
    position /= _pair(*stride)
    size = _pair(float(heatmap_size[0]), float(heatmap_size[1]))
    inside = (position >= _pair(0.0, 0.0)) & (position < size)  # NaN: no
    return position, inside[:, 0] & inside[:, 1]


def encode_heatmaps(keypoints: np.ndarray,
                    heatmap_size: Sequence[int],
                    stride: Sequence[float],
                    sigma: float = 1.0,
                    exact_centers: bool = False,
                    annotated: Optional[np.ndarray] = None
                    ) -> tuple[np.ndarray, np.ndarray]:
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
        annotated: (K,) bool, keypoints to draw; default: all.

    Returns:
        Heatmaps, (K, H, W) float32 in [0, 1], and which keypoints were drawn,
        (K,) bool.
    """
    position, drawn = keypoints_inside(
        np.asarray(keypoints), heatmap_size, stride, exact_centers)
    if annotated is not None:
        drawn &= annotated
    width, height = heatmap_size
    heatmaps = np.zeros((len(drawn), height, width), np.float32)
    number = drawn.nonzero()[0]
    position = position.take(number, 0)
    if exact_centers:
        # From the middle of cell 0, half a cell inwards.
        start, gaussians = _exact_gaussians(position - 0.5, heatmap_size,
                                            sigma)
    else:
        # Truncation leaves the cell's own number.
        start, gaussians = _cell_gaussians(
            position.astype(np.intp), heatmap_size, sigma)
    # Only windows are computed and written: most of a heatmap is zero.
    down, across = gaussians.shape[1:]
    # As sliding_window_view, at a tenth of its cost.
    windows: np.ndarray = np.ndarray(
        (len(drawn), height - down + 1, width - across + 1, down, across),
        heatmaps.dtype, heatmaps, 0, heatmaps.strides + heatmaps.strides[1:])
    windows[number, start[:, 1], start[:, 0]] = gaussians
    return heatmaps, drawn


def _cell_gaussians(cells: np.ndarray, heatmap_size: Sequence[int],
                    sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Windows around cells, moved where they would leave the heatmap.

    Args:
        cells: (K, 2) whole numbers.
        heatmap_size: (W, H).
        sigma: in cells.

    Returns:
        The windows' first cells (K, 2), x and y, and the Gaussians in them,
        (K, n, n), or fewer cells where the heatmap is smaller.
    """
    table = _windows(sigma)
    length = table.shape[-1]
    start = _inside(cells - length // 2, heatmap_size, length)
    place = cells - start
    gaussians = table[place[:, 1], place[:, 0]]
    return start, gaussians[:, :heatmap_size[1], :heatmap_size[0]]


def _exact_gaussians(centers: np.ndarray, heatmap_size: Sequence[int],
                     sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`_cell_gaussians`, around positions (K, 2) float64."""
    # One cell more than fit, which takes care of rounding.
    length = int(6 * sigma) + 2
    start = _inside(
        np.floor(centers - 3 * sigma).astype(np.intp), heatmap_size, length)
    cells = start[:, :, None] + np.arange(length)
    along = _gaussian(cells - centers[:, :, None], sigma)  # (K, 2, n)
    return start, (along[:, 1, :heatmap_size[1], None] *
                   along[:, 0, None, :heatmap_size[0]])


def _inside(start: np.ndarray, heatmap_size: Sequence[int],
            length: int) -> np.ndarray:
    """First cells of windows that do not leave the heatmap."""
    width, height = heatmap_size
    last = _pair(max(width - length, 0), max(height - length, 0))
    return np.minimum(np.maximum(start, 0), last)


@lru_cache(maxsize=64, typed=True)  # 4 and 4.0 are not the same
def _pair(x: float, y: float) -> np.ndarray:
    """An array of two, which NumPy takes as long to make as to add."""
    return np.array([x, y])


@lru_cache(maxsize=16)
def _windows(sigma: float) -> np.ndarray:
    """All places of a Gaussian within a window, (n, n, n, n) float32.

    At [y, x] lies a window of (n, n) cells with a Gaussian around its cell
    (y, x).
    """
    reach = int(3 * sigma)
    along = _gaussian(np.arange(-2 * reach, 2 * reach + 1), sigma)
    gaussian = (along[:, None] * along).astype(np.float32)
    length = 2 * reach + 1
    # Views; from the last window, which has the Gaussian in its first cell.
    return np.lib.stride_tricks.sliding_window_view(
        gaussian, (length, length))[::-1, ::-1]


def _gaussian(distance: np.ndarray, sigma: float) -> np.ndarray:
    """1 at distance 0, and 0 beyond 3 sigma."""
    gaussian = np.exp(distance * distance / (-2 * sigma**2))
    return gaussian * (np.abs(distance) <= 3 * sigma)


def draw_heatmaps(keypoints: Tensor,
                  keypoint_weights: Tensor,
                  heatmap_size: Sequence[int],
                  stride: Sequence[float],
                  sigma: float = 1.0,
                  exact_centers: bool = False) -> Tensor:
    """:func:`encode_heatmaps` for a batch on its device.

    Nothing waits for the device.

    Args:
        keypoints: (B, K, 2) x and y in input pixels, float32.
        keypoint_weights: (B, K); keypoints of weight 0 give zeros.
        heatmap_size: (W, H) in cells.
        stride: input pixels per cell in x and y.
        sigma: see :func:`encode_heatmaps`.
        exact_centers: see :func:`encode_heatmaps`.

    Returns:
        (B, K, H, W) float32 in [0, 1] on the device of the keypoints.
    """
    # Metal has no float64. Float32 truncates to the same cells as long as
    # strides are powers of 2, as the stacked hourglass's is.
    mps = keypoints.device.type == 'mps'
    keypoints = keypoints.to(torch.float32 if mps else torch.float64)
    drawn = keypoint_weights > 0
    profiles = []
    for axis in (0, 1):
        size = heatmap_size[axis]
        # Divided by a tensor: CUDA multiplies with the reciprocal of a number,
        # which rounds otherwise.
        position = (keypoints[..., axis] +
                    (0.5 if exact_centers else 0.0)) / torch.full_like(
                        keypoints[..., axis], stride[axis])  # (B, K)
        drawn = drawn & (position >= 0) & (position < size)
        center = position - 0.5 if exact_centers else position.floor()
        cells = torch.arange(
            size, dtype=keypoints.dtype, device=keypoints.device)
        distance = cells - center.unsqueeze(2)  # (B, K, size)
        gaussian = (distance * distance / (-2 * sigma**2)).exp()
        zeros = torch.zeros_like(gaussian)
        profiles.append(gaussian.where(distance.abs() <= 3 * sigma, zeros))
    # NaN is not within 3 sigma of any cell, so zeros in x are enough.
    along_x, along_y = profiles
    along_x = along_x.where(drawn.unsqueeze(2), torch.zeros_like(along_x))
    return along_y.float().unsqueeze(3) * along_x.float().unsqueeze(2)


def heatmap_maximum(heatmaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cell of each heatmap's maximum.

    One pass over the heatmaps, along whichever side is quick in their memory
    format; the maximum's place is then looked for among H or W numbers.
    (PyTorch's ``argmax`` over all cells is several times slower on processors,
    and more so in channels_last.)

    Args:
        heatmaps: (B, K, H, W) float on any device.

    Returns:
        x and y, (B, K) int64, and the maxima, (B, K) in the heatmaps' dtype.
        Of equal maxima any one is returned; x and y are always of the same
        one. NaN counts as the highest.
    """
    batch, keypoints, height, _ = heatmaps.shape
    if heatmaps.is_contiguous() or not heatmaps.is_contiguous(
            memory_format=torch.channels_last):
        scores, y = heatmaps.amax(3).max(2)
        number = torch.arange(
            batch * keypoints, device=heatmaps.device) * height + y.flatten()
        rows = heatmaps.flatten(0, 2).index_select(0, number)  # (B * K, W)
        x = rows.max(1)[1].view(batch, keypoints)
    else:
        columns = heatmaps.permute(0, 2, 3, 1).amax(1)  # (B, W, K)
        scores, x = columns.transpose(1, 2).contiguous().max(2)
        column = x[:, :, None, None].expand(-1, -1, height, 1)
        y = heatmaps.gather(3, column).squeeze(3).max(2)[1]
    return x, y, scores


def decode_heatmaps(heatmaps: Tensor,
                    stride: Sequence[float],
                    refinement: str = 'quarter') -> tuple[Tensor, Tensor]:
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
        maxima any one is returned; a heatmap of zeros scores 0. A heatmap with
        NaN scores NaN and gives a place inside the cell of a NaN.
    """
    height, width = heatmaps.shape[2:]
    x, y, scores = heatmap_maximum(heatmaps)  # (B, K) each
    if refinement == 'none':
        offset_x, offset_y = torch.zeros_like(x), torch.zeros_like(y)
    else:
        # Around the maximum, and at a border around the nearest cell inside.
        x0, y0 = x.clamp(1, width - 2), y.clamp(1, height - 2)
        near = _neighbourhood(heatmaps, x0, y0)  # (B, K, 3, 3)
        if refinement == 'quarter':
            offset_x, offset_y = _quarter_offset(near)
            interior = (x0 == x) & (y0 == y)
            offset_x, offset_y = offset_x * interior, offset_y * interior
        else:
            offset_x, offset_y = _subpixel_offset(near, x0 - x, y0 - y)
    edge = 0.5 if refinement == 'subpixel' else 0.0
    keypoints = torch.stack([(x + offset_x + 0.5) * stride[0] - edge,
                             (y + offset_y + 0.5) * stride[1] - edge], 2)
    return keypoints.float(), scores.float()


def _neighbourhood(heatmaps: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(B, K, 3, 3) float32: the cells around (B, K) x and y."""
    device = heatmaps.device
    batch = torch.arange(heatmaps.shape[0], device=device)[:, None, None, None]
    keypoint = torch.arange(heatmaps.shape[1], device=device)[:, None, None]
    around = torch.arange(-1, 2, device=device)
    return heatmaps[batch, keypoint, y[..., None, None] + around[:, None],
                    x[..., None, None] + around].float()


def _quarter_offset(near: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K) each: a quarter cell towards the higher neighbours."""
    right, below = near[..., 1, 2], near[..., 2, 1]
    return (0.25 * (right - near[..., 1, 0]).sign(),
            0.25 * (below - near[..., 0, 1]).sign())


def _subpixel_offset(near: Tensor, from_x: Tensor,
                     from_y: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K) each: where the parabola through the logarithm has its peak.

    Args:
        near: (B, K, 3, 3). At a border it is not around the maximum, which a
            parabola does not mind.
        from_x: (B, K) from the maximum's cell to the middle one of ``near``.
        from_y: (B, K).

    Returns:
        Offsets from the middle of the maximum's cell; 0 where the
        neighbourhood has no peak.
    """
    # Cells at or below zero have no logarithm; e^-9 of the maximum is lower
    # than any cell of the 3x3 neighbourhood in a Gaussian of the paper.
    floor = near.amax((2, 3), keepdim=True).clamp(min=1e-12) * 1.2e-4
    log = near.maximum(floor).log()
    here, left, right = log[..., 1, 1], log[..., 1, 0], log[..., 1, 2]
    above, below = log[..., 0, 1], log[..., 2, 1]
    dx, dy = (right - left) / 2, (below - above) / 2
    dxx, dyy = right - 2 * here + left, below - 2 * here + above
    dxy = (log[..., 2, 2] - log[..., 2, 0] - log[..., 0, 2] +
           log[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy**2
    is_peak = (determinant > 1e-6) & (dxx < 0)
    safe = determinant.where(is_peak, torch.ones_like(determinant))

    def offset(step: Tensor, start: Tensor) -> Tensor:
        # The highest cell holds the maximum, so it is at most half a cell
        # away.
        place = (step / safe + start).clamp(-0.5, 0.5)
        return place.where(is_peak, torch.zeros_like(place))

    return (offset(dxy * dy - dyy * dx, from_x),
            offset(dxy * dx - dxx * dy, from_y))
