"""Codec: cells, Gaussians, refinement, and encode as decode's inverse."""
import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from hourglass_plugin.codecs.heatmaps import decode_heatmaps, draw_heatmaps

STRIDE = (4, 4)


def build(name='HourglassHeatmap', **options):
    sizes = dict(input_size=(256, 256), heatmap_size=(64, 64))
    return KEYPOINT_CODECS.build({'type': name, **sizes, **options})


def decode(cells, refinement='quarter', stride=STRIDE, middle=(4, 3)):
    """The keypoint of a heatmap of 9x8 cells, 3x3 of which are given."""
    x, y = middle
    heatmap = torch.zeros(1, 1, 10, 11)
    heatmap[0, 0, y:y + 3, x:x + 3] = torch.as_tensor(cells)
    keypoints, _ = decode_heatmaps(heatmap[..., 1:9, 1:10], stride, refinement)
    return keypoints[0, 0].tolist()


@pytest.mark.parametrize('refinement', ['quarter', 'none'])
def test_round_trip_errs_by_half_a_cell_at_most_without_bias(refinement):
    """A cell holds 4 pixels and decodes to its middle: the error is uniform
    in [-2, 2], so its mean is 0 and its mean size 1. The standard error of a
    mean over 20,000 is sqrt(4/3 / 20000) = 0.008; 5 of those are allowed."""
    codec = build(refinement=refinement)
    points = np.random.default_rng(0).uniform(0, 256, (1, 20000, 2))
    # In parts: 20,000 heatmaps at once need gigabytes.
    decoded = np.concatenate([codec.decode(codec.encode(part)['heatmaps'])[0]
                              for part in np.split(points, 20, axis=1)], 1)
    error = (decoded - points)[0]
    assert np.abs(error).max() <= 2 + 1e-4  # float32
    assert np.abs(error.mean(axis=0)).max() < 0.041
    assert np.abs(np.abs(error).mean(axis=0) - 1).max() < 0.041
    # Every cell of every row and column, the border included, was met.
    cells = np.unique((points // 4).astype(int)[0], axis=0)
    assert set(cells[:, 0]) == set(cells[:, 1]) == set(range(64))


@pytest.mark.parametrize('sigma', [1, 10])
def test_subpixel_round_trip_is_exact_to_the_border(sigma):
    """The logarithm of a Gaussian is a parabola, whose peak one Newton step
    finds; what is left is float32's rounding of the heatmap, by 6e-8. At
    sigma 10 second derivatives are -1/100: it moves the peak by 1e-5 cells.
    """
    codec = build(refinement='subpixel', sigma=sigma)
    # The first and the last pixel end half a pixel from their centres.
    points = np.random.default_rng(1).uniform(-0.5, 255.5, (1, 2000, 2))
    points[0, :4] = [[-0.5, -0.5], [255.49, -0.5], [-0.5, 255.49],
                     [255.49, 255.49]]
    decoded, scores = codec.decode(codec.encode(points)['heatmaps'])
    assert decoded.shape == (1, 2000, 2) and scores.shape == (1, 2000)
    assert np.abs(decoded - points).max() < 1e-3
    # The nearest cell is half a cell away at most in x and in y.
    assert scores.min() >= np.exp(-0.25) - 1e-5


@pytest.mark.parametrize('middle, refinement, stride, expected', [
    # x: (4 + 0.25 + 0.5) * 4 = 19, y: (3 - 0.25 + 0.5) * 4 = 13
    ((4, 3), 'quarter', STRIDE, [19, 13]),
    # No quarter cell unless both axes are interior.
    ((4, 0), 'quarter', STRIDE, [18, 2]),
    ((4, 7), 'quarter', STRIDE, [18, 30]),
    ((0, 3), 'quarter', STRIDE, [2, 14]),
    ((8, 3), 'quarter', STRIDE, [34, 14]),
    # The middle of the cell, of 2 x 8 pixels.
    ((4, 3), 'none', (2, 8), [4.5 * 2, 3.5 * 8])])
def test_quarter_cell_towards_the_higher_neighbour(middle, refinement, stride,
                                                   expected):
    cells = [[0, 0.3, 0], [0, 1, 0.5], [0, 0, 0]]
    assert decode(cells, refinement, stride, middle) == expected


@pytest.mark.parametrize('refinement, x', [
    ('quarter', np.arange(256.0)),  # whole pixels
    ('subpixel', np.random.default_rng(2).uniform(20, 230, 256))])
def test_flipped_heatmaps_line_up(refinement, x):
    heatmaps, flipped = (
        build(refinement=refinement).encode(
            np.stack([places, np.full(256, 100.0)], 1)[None])['heatmaps']
        for places in (x, 255 - x))
    # Exact centres are rounded by float32.
    np.testing.assert_allclose(
        flipped[..., ::-1], heatmaps,
        atol=1e-6 if refinement == 'subpixel' else 0)


def test_subpixel_of_a_rotated_blob():
    """An elongated, rotated Gaussian: its parabola has a mixed term."""
    y, x = np.mgrid[-1:2, -1:2]
    dx, dy = x - 0.3, y - 0.2
    cells = np.exp(-0.5 * (0.5 * dx**2 + 0.4 * dx * dy + 0.3 * dy**2))
    np.testing.assert_allclose(
        decode(cells, 'subpixel'), [4.8 * 4 - 0.5, 3.7 * 4 - 0.5], atol=1e-3)


@pytest.mark.parametrize('sign', [1, -1])
def test_subpixel_stays_within_half_a_cell(sign):
    """Both second derivatives -1, the mixed one 0.495, the first ones 0.4:
    the parabola's peak is 0.79 cells away in x and in y."""
    rows = np.array([[-0.01, -0.9, -1.0], [-0.9, 0.0, -0.1],
                     [-1.0, -0.1, -0.01]])[::sign, ::sign]
    np.testing.assert_allclose(
        decode(np.exp(rows), 'subpixel'),
        [(4.5 + sign * 0.5) * 4 - 0.5, (3.5 + sign * 0.5) * 4 - 0.5],
        rtol=1e-6)


@pytest.mark.parametrize('cells, middle, expected', [
    # A saddle: of the logarithm the mixed derivative, 2, is larger than the
    # others, -0.25 and -0.2.
    (np.exp([[-0.01, -0.1, -4.0], [-0.2, 0.0, -0.05], [-4.0, -0.1, -0.01]]),
     (4, 3), (4, 3)),
    # A ridge down to the border, whose determinant is 0.
    ([[0.125, 0.25, 0.125], [0.25, 0.5, 0.25], [0.5, 1, 0.5]], (4, 6), (4, 7)),
    # A hollow beside the maximum in the corner.
    ([[1, 0.5, 0.6], [0.4, 0.1, 0.5], [0.6, 0.5, 0.7]], (1, 1), (0, 0))])
def test_subpixel_keeps_the_cell_where_there_is_no_peak(cells, middle,
                                                        expected):
    found = decode(cells, 'subpixel', middle=middle)
    assert found == [(cell + 0.5) * 4 - 0.5 for cell in expected]


def test_subpixel_does_not_depend_on_the_height():
    """Nor on that of another keypoint: early in training peaks are low."""
    high = draw_heatmaps(
        torch.tensor([[[41.3, 83.1]]]), torch.ones(1, 1), (64, 64), STRIDE,
        exact_centers=True)
    keypoints, _ = decode_heatmaps(
        torch.cat([high, 1e-4 * high], 1), STRIDE, 'subpixel')
    # float32 rounds the logarithms of 3e-6 of a cell's side.
    np.testing.assert_allclose(keypoints, [[[41.3, 83.1]] * 2], atol=1e-3)


INSIDE = np.array([[[-0.1, 5], [256, 5], [255.99999999, 5], [5, 255.9],
                    [5, 5], [np.nan, 5], [np.inf, 5]]])
# Cells begin half a pixel before the first pixel's centre.
INSIDE_EXACT = np.array([[[-0.4, 5], [-0.6, 5], [255.6, 5], [5, 255.4]]])


@pytest.mark.parametrize('on_device, refinement, points, weights', [
    (False, 'quarter', INSIDE, [0, 0, 1, 1, 0, 0, 0]),
    # In float32 the third one is 256, which is outside.
    (True, 'quarter', INSIDE, [0, 0, 0, 1, 0, 0, 0]),
    (False, 'subpixel', INSIDE_EXACT, [1, 0, 0, 1]),
    (True, 'subpixel', INSIDE_EXACT, [1, 0, 0, 1])])
def test_outside_and_unannotated_give_zeros_and_no_weight(
        on_device, refinement, points, weights):
    codec = build(refinement=refinement, encode_on_device=on_device)
    visible = np.ones(points.shape[:2])
    visible[0, 4:5] = 0  # the fifth
    encoded = codec.encode(points, visible)
    assert encoded['keypoint_weights'].tolist() == [weights]
    assert {part.dtype for part in encoded.values()} == {np.dtype('float32')}
    if on_device:
        labels, drawn_weights = map(torch.from_numpy, (
            encoded['keypoint_labels'], encoded['keypoint_weights']))
        np.testing.assert_array_equal(labels, points.astype(np.float32))
        encoded['heatmaps'] = codec.draw(labels, drawn_weights)[0]
    drawn = encoded['heatmaps'].reshape(len(weights), -1) > 0
    assert drawn.any(1).tolist() == [bool(weight) for weight in weights]
    # Where MMPose packs them.
    packed = {**codec.label_mapping_table, **codec.field_mapping_table}
    target = 'keypoint_labels' if on_device else 'heatmaps'
    assert packed == {name: name for name in ('keypoint_weights', target)}
    assert bool(codec.field_mapping_table) != on_device


@pytest.mark.parametrize('name, count', [
    ('MPIIHeatmap', 16), ('FLICHeatmap', 11), ('LSPHeatmap', 14)])
def test_dataset_codecs_check_the_number_of_keypoints(name, count):
    heatmaps = build(name).encode(np.zeros((1, count, 2)))['heatmaps']
    assert heatmaps.shape == (count, 64, 64)
    with pytest.raises(ValueError):
        build(name).encode(np.zeros((1, 17, 2)))


@pytest.mark.parametrize('options', [
    *(dict(sigma=sigma) for sigma in (0, np.nan, np.inf)),
    dict(refinement='half'),
    *(dict(input_size=size) for size in ((np.inf, 9), (256, ))),
    *(dict(heatmap_size=size)
      for size in ((64, 0), (2, 64), (64.5, 64), (300, 64), (64, 300))),
], ids=str)
def test_bad_arguments(options):
    build(input_size=(3, 3), heatmap_size=(3, 3))  # the smallest
    with pytest.raises(ValueError, match=next(iter(options))):
        build(**options)


@pytest.mark.parametrize('method, arguments', [
    ('encode', [(2, 16, 2)]), ('encode', [(16, 2)]), ('encode', [(1, 16, 3)]),
    ('encode', [(1, 16, 2), (16, )]), ('encode', [(1, 16, 2), (1, 15)]),
    ('batch_decode', [(16, 64, 64)]), ('batch_decode', [(1, 16, 64, 32)])])
def test_other_shapes_are_refused(method, arguments):
    with pytest.raises(ValueError):
        getattr(build(), method)(*map(torch.zeros, arguments))
