"""Gaussian heatmaps of keypoints, as in the paper: drawn and decoded.

Shape shorthand: B batch, K keypoints, H W heatmap size.

Pixel convention, for both directions: input coordinates are 0-based and the
centre of the top-left pixel is (0, 0). Heatmap cell c covers the input
coordinates [c * stride, (c + 1) * stride), so a keypoint's cell is its
coordinate divided by the stride and truncated (Newell et al., ECCV 2016, and
their code), and a cell decodes to its middle, (c + 0.5) * stride. Decoding is
then unbiased. Flipping the image sends pixel x to W - 1 - x and cell c to
W/stride - 1 - c, which agree for every whole x: flipped heatmaps line up
without a shift. Between whole pixels they do not: in a flip test heatmaps are
on average half an input pixel too far to the right.

With exact centres, which the paper does not have, positions are kept exactly,
and cells end where pixels do: cell c covers the input coordinates
[c * stride - 0.5, (c + 1) * stride - 0.5). Flipped heatmaps then line up for
every x.
"""
from collections.abc import Sequence

import torch
from torch import Tensor


def place_keypoints(keypoints: Tensor, heatmap_size: Sequence[int],
                    stride: Sequence[float],
                    exact_centers: bool = False) -> tuple[Tensor, Tensor]:
    """Place keypoints on the heatmap; arguments as in :func:`draw_heatmaps`.

    Returns:
        Distances from the beginning of the first cell in cells, (B, K, 2)
        float64, and which keypoints are inside, (B, K) bool; NaN is not.
    """
    # Metal has no float64; float32 gives the same cells for strides of 2^n.
    is_metal = keypoints.device.type == 'mps'
    keypoints = keypoints.to(torch.float32 if is_metal else torch.float64)
    positions, inside = [], []
    for place, cells, pixels in zip(
            keypoints.unbind(-1), heatmap_size, stride):
        # By a tensor: CUDA multiplies with a number's rounded reciprocal.
        position = (place + (0.5 if exact_centers else 0.0)
                    ) / torch.full_like(place, pixels)
        positions.append(position)
        inside.append((position >= 0) & (position < cells))
    return torch.stack(positions, -1), inside[0] & inside[1]


def draw_heatmaps(keypoints: Tensor, keypoint_weights: Tensor,
                  heatmap_size: Sequence[int], stride: Sequence[float],
                  sigma: float = 1.0, exact_centers: bool = False) -> Tensor:
    """Draw one 2D Gaussian of height 1 per keypoint, without device waits.

    A Gaussian is cut to the square of 3 sigma around its centre, as in the
    paper's code. A keypoint outside the input, or not finite, gives zeros.
    Positions are divided and truncated in float64.

    Args:
        keypoints: (B, K, 2) x and y in input pixels.
        keypoint_weights: (B, K); keypoints of weight 0 give zeros.
        heatmap_size: (W, H) in cells.
        stride: input pixels per cell in x and y.
        sigma: standard deviation in cells (1 in the paper).
        exact_centers: centre the Gaussian on the keypoint itself instead of
            on its cell, with the cells of exact centres (above).

    Returns:
        (B, K, H, W) float32 in [0, 1] on the device of the keypoints.
    """
    positions, inside = place_keypoints(keypoints, heatmap_size, stride,
                                        exact_centers)
    drawn = inside & (keypoint_weights > 0)
    centers = positions - 0.5 if exact_centers else positions.floor()
    profiles = []
    for axis in (0, 1):
        cells = torch.arange(
            heatmap_size[axis], dtype=centers.dtype, device=centers.device)
        distance = cells - centers[..., axis, None]  # (B, K, W or H)
        gaussian = (distance * distance / (-2 * sigma**2)).exp()
        # NaN is not within 3 sigma of any cell.
        beyond = ~(distance.abs() <= 3 * sigma)
        profiles.append(gaussian.masked_fill(beyond, 0))
    along_x = profiles[0].masked_fill(~drawn[..., None], 0)
    return profiles[1].float()[..., None] * along_x.float()[..., None, :]


def heatmap_maximum(heatmaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cell of each heatmap's maximum.

    In one pass along the side that is fast in their memory format, several
    times faster on CPUs than PyTorch's ``argmax`` over all cells.

    Args:
        heatmaps: (B, K, H, W) float on any device.

    Returns:
        x and y, (B, K) int64, both of the same one of equal maxima, and the
        maxima, (B, K) in the heatmaps' dtype. NaN counts as the highest.
    """
    height, width = heatmaps.shape[2:]
    if heatmaps.is_contiguous() or not heatmaps.is_contiguous(
            memory_format=torch.channels_last):
        scores, y = heatmaps.amax(3).max(2)
        row = y[:, :, None, None].expand(-1, -1, 1, width)
        x = heatmaps.gather(2, row).squeeze(2).max(2)[1]
    else:
        columns = heatmaps.permute(0, 2, 3, 1).amax(1)  # (B, W, K)
        scores, x = columns.transpose(1, 2).contiguous().max(2)
        column = x[:, :, None, None].expand(-1, -1, height, 1)
        y = heatmaps.gather(3, column).squeeze(3).max(2)[1]
    return x, y, scores


def decode_heatmaps(heatmaps: Tensor, stride: Sequence[float],
                    refinement: str = 'quarter') -> tuple[Tensor, Tensor]:
    """Find each heatmap's maximum and return it in input pixels.

    ``quarter``: a quarter cell towards the higher of two neighbours, in x and
    in y, where the maximum's cell touches no border (the paper's code).
    ``subpixel``: one Newton step on the logarithm of the 3x3 neighbourhood,
    exact for a Gaussian (Zhang et al., "Distribution-Aware Coordinate
    Representation for Human Pose Estimation", CVPR 2020), for heatmaps of
    ``exact_centers``. ``none``: the middle of the cell.

    Args:
        heatmaps: (B, K, H, W) float on any device; H and W at least 3.
        stride: input pixels per cell in x and y.
        refinement: ``quarter``, ``subpixel`` or ``none``.

    Returns:
        Keypoints (B, K, 2), x and y in input pixels, and scores (B, K), the
        heights of the maxima; float32 on the heatmaps' device. Of equal maxima
        any one is returned; a heatmap with NaN scores NaN, at a NaN's cell.
    """
    height, width = heatmaps.shape[2:]
    x, y, scores = heatmap_maximum(heatmaps)  # (B, K) each
    offset_x, offset_y = torch.zeros_like(x), torch.zeros_like(y)
    if refinement != 'none':
        # Around the maximum, and at a border around the nearest cell inside.
        x0, y0 = x.clamp(1, width - 2), y.clamp(1, height - 2)
        near = _neighbourhood(heatmaps, x0, y0)  # (B, K, 3, 3)
    if refinement == 'quarter':
        quarter = 0.25 * ((x0 == x) & (y0 == y))
        offset_x = quarter * (near[..., 1, 2] - near[..., 1, 0]).sign()
        offset_y = quarter * (near[..., 2, 1] - near[..., 0, 1]).sign()
    elif refinement == 'subpixel':
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


def _subpixel_offset(near: Tensor, from_x: Tensor,
                     from_y: Tensor) -> tuple[Tensor, Tensor]:
    """Peak of the parabola through the logarithm, from the maximum's cell.

    ``near`` is (B, K, 3, 3), at a border not centred on the maximum; x and y,
    (B, K), lead from the maximum's cell to its middle one. Returns x and y,
    (B, K) in cells; 0 where the neighbourhood has no peak.
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
    # The highest cell holds the maximum: it is at most half a cell away.
    x = ((dxy * dy - dyy * dx) / safe + from_x).clamp(-0.5, 0.5)
    y = ((dxy * dx - dxx * dy) / safe + from_y).clamp(-0.5, 0.5)
    return x.masked_fill(~is_peak, 0), y.masked_fill(~is_peak, 0)
