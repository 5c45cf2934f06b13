"""Heatmaps are drawn as the plain formula says, and their maxima found."""
import numpy as np
import pytest
import torch

from hourglass_plugin.codecs.heatmaps import (
    decode_heatmaps,
    draw_heatmaps,
    heatmap_maximum,
    place_keypoints,
)

# Both factors and their product, of at most 1, are rounded to float32: three
# times half a unit in the last place, 2^-25. A wrong cell differs by 0.01.
ROUNDING = 3 * 2**-25

REFINEMENTS = ['quarter', 'subpixel', 'none']

# Input and heatmap, (W, H): square, not square, strides that no float holds
# (100 / 37, 128 / 48), and heatmaps smaller than a Gaussian.
SIZES = [((256, 256), (64, 64)), ((192, 256), (48, 64)),
         ((100, 128), (37, 48)), ((511, 98), (127, 85)), ((21, 14), (6, 4))]


def plain_formula(keypoints, heatmap_size, stride, sigma, exact_centers):
    """Every cell of every heatmap, one after the other in Python floats."""
    width, height = heatmap_size
    heatmaps = np.zeros((len(keypoints), height, width))
    edge = 0.5 if exact_centers else 0.0
    for heatmap, keypoint in zip(heatmaps, keypoints.tolist()):
        x, y = ((p + edge) / s for p, s in zip(keypoint, stride))
        if not (0 <= x < width and 0 <= y < height):
            continue
        x, y = (x - 0.5, y - 0.5) if exact_centers else (int(x), int(y))
        for row, column in np.ndindex(height, width):
            dx, dy = abs(column - x), abs(row - y)
            if dx <= 3 * sigma and dy <= 3 * sigma:
                heatmap[row, column] = np.exp(
                    -(dx * dx + dy * dy) / (2 * sigma**2))
    return heatmaps


def beside(places):
    """Places, and the float32 numbers next to them on either side."""
    places = places.astype(np.float32)
    return np.concatenate([places, *(
        np.nextafter(places, np.float32(side)) for side in (-np.inf, np.inf))])


def positions(input_size, heatmap_size, edge):
    """Anywhere, outside too; at and beside the borders of cells; NaN, Inf."""
    rng = np.random.default_rng(0)
    anywhere = rng.uniform(-0.1, 1.1, (12, 2)) * input_size
    borders = [
        np.append(rng.integers(cells + 1, size=9) * pixels / cells, pixels)
        for pixels, cells in zip(input_size, heatmap_size)]
    nowhere = [[np.nan, 5], [5, np.nan], [np.inf, 5], [-np.inf, 5],
               [1e30, 5], [-0.0, 0.0]]
    return np.concatenate(
        [anywhere, beside(np.stack(borders, 1) - edge),
         nowhere]).astype(np.float32)


@pytest.mark.parametrize('exact_centers', [False, True])
@pytest.mark.parametrize('sigma', [1, 1.75, 0.3, 10])
@pytest.mark.parametrize('input_size,heatmap_size', SIZES)
def test_heatmaps_equal_the_plain_formula(input_size, heatmap_size, sigma,
                                          exact_centers):
    stride = [p / c for p, c in zip(input_size, heatmap_size)]
    points = positions(input_size, heatmap_size, 0.5 * exact_centers)
    expected = plain_formula(points, heatmap_size, stride, sigma,
                             exact_centers)
    keypoints = torch.from_numpy(points)[None]
    drawn = draw_heatmaps(keypoints, torch.ones(1, len(points)), heatmap_size,
                          stride, sigma, exact_centers)
    assert drawn.dtype == torch.float32
    np.testing.assert_allclose(drawn[0], expected, rtol=0, atol=ROUNDING)
    _, inside = place_keypoints(keypoints, heatmap_size, stride,
                                exact_centers)
    assert inside[0].tolist() == expected.any((1, 2)).tolist()


def test_batches_are_drawn_one_by_one():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(3, 4, 2, generator=generator) * 64
    weights = torch.tensor([[1.0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]])
    drawn, *alone = (
        draw_heatmaps(points[who], weights[who], (16, 16), (4, 4), 1.75, True)
        for who in (slice(None), [0], [1], [2]))
    assert torch.equal(drawn, torch.cat(alone))
    assert torch.equal(drawn.amax((2, 3)) > 0, weights > 0)


LAYOUTS = [torch.contiguous_format, torch.channels_last, 'slices']


def laid_out(heatmaps, layout):
    if layout == 'slices':  # of a larger tensor
        return heatmaps.repeat_interleave(2, 3)[..., ::2]
    return heatmaps.to(memory_format=layout)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_maxima_in_every_memory_format(layout):
    """Among others heights of 0 to 3 only, with dozens of equal maxima."""
    generator = torch.Generator().manual_seed(1)
    heatmaps = torch.randn(3, 9, 12, 16, generator=generator)
    heatmaps[1] = torch.randint(4, (9, 12, 16), generator=generator)
    x, y, scores = heatmap_maximum(laid_out(heatmaps, layout))
    assert torch.equal(scores, heatmaps.amax((2, 3)))
    for b, k in np.ndindex(3, 9):
        assert heatmaps[b, k, y[b, k], x[b, k]] == scores[b, k]


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('refinement', REFINEMENTS)
def test_decoding_in_every_memory_format_and_precision(refinement, layout):
    generator = torch.Generator().manual_seed(3)
    heatmaps = torch.randn(2, 3, 8, 8, generator=generator).bfloat16()
    heatmaps[:, :, 3, 5] = 9  # of equal maxima any one is found
    expected = tuple(map(torch.cat, zip(*(
        decode_heatmaps(person[None].float(), (4, 4), refinement)
        for person in heatmaps))))
    for precise in (heatmaps, heatmaps.float()):
        # Where nothing is computed, so what is made there is not decoded.
        with torch.device('meta'):
            found = decode_heatmaps(
                laid_out(precise, layout), (4, 4), refinement)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('refinement', REFINEMENTS)
def test_nan_and_inf_are_found_inside_the_heatmap(refinement, layout):
    heatmaps = torch.zeros(1, 4, 8, 8)
    heatmaps[0, 0, 2, 5] = float('nan')
    heatmaps[0, 1] = float('nan')
    heatmaps[0, 2, 4, 4] = 1
    heatmaps[0, 3, 7, 0] = float('inf')
    keypoints, scores = decode_heatmaps(
        laid_out(heatmaps, layout), (4, 4), refinement)
    edge = 0.5 if refinement == 'subpixel' else 0
    assert scores.isnan().tolist() == [[True, True, False, False]]
    assert keypoints[0, 0].tolist() == [22 - edge, 10 - edge]
    assert ((keypoints >= -edge) & (keypoints < 32)).all()
    assert keypoints[0, 2].tolist() == [18 - edge, 18 - edge]
    assert keypoints[0, 3].tolist() == [2 - edge, 30 - edge]
