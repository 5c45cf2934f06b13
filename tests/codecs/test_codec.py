"""Codec: cells, Gaussians, refinement, and encode as decode's inverse."""
import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS

from hourglass_plugin.codecs.heatmaps import decode_heatmaps, draw_heatmaps

STRIDE = (4, 4)


def build(name='HourglassHeatmap', **options):
    return KEYPOINT_CODECS.build(
        dict(
            type=name,
            **dict(
                dict(input_size=(256, 256), heatmap_size=(64, 64)),
                **options)))


def draw(points, size=(64, 64), **options):
    """(K, H, W) of keypoints (K, 2)."""
    return draw_heatmaps(
        torch.tensor([points]), torch.ones(1, len(points)), size, STRIDE,
        **options)[0]


def test_cell_is_the_truncated_coordinate():
    # 7.9 / 4 = 1.98 and 11.0 / 4 = 2.75: cells 1 and 2 (rounding: 2 and 3).
    heatmap, = draw([[7.9, 11.0]])
    assert heatmap.argmax() == 2 * 64 + 1
    assert heatmap[2, 1] == 1


def test_gaussian_by_hand_and_cut_at_three_sigma():
    heatmap = draw([[41.0, 83.0]])[0]  # cell (10, 20)
    for dx, dy in ((0, 1), (2, 0), (1, 3), (-3, -3)):
        expected = np.exp(-(dx * dx + dy * dy) / 2)
        assert heatmap[20 + dy, 10 + dx].item() == pytest.approx(
            expected, rel=1e-6)
    assert heatmap[20, 14] == heatmap[16, 10] == 0
    assert np.count_nonzero(heatmap) == 7 * 7  # the paper's code: 6 sigma + 1


def test_sigma_widens_the_gaussian():
    # exp(-0.5 (2 / 1.75)^2) by hand; the patch ends at 3 * 1.75 = 5.25 cells.
    heatmap = draw([[41.0, 83.0]], sigma=1.75)[0]
    assert heatmap[20, 12].item() == pytest.approx(0.52045, abs=1e-5)
    assert np.count_nonzero(heatmap) == 11 * 11


@pytest.mark.parametrize('refinement', ['quarter', 'none'])
def test_round_trip_errs_by_half_a_cell_at_most_without_bias(refinement):
    """A cell holds 4 pixels and decodes to its middle: the error is uniform
    in [-2, 2], so its mean is 0 and its mean size 1. The standard error of a
    mean over 20,000 is sqrt(4/3 / 20000) = 0.008; 5 of those are allowed."""
    codec = build(refinement=refinement)
    points = np.random.default_rng(0).uniform(0, 256, (1, 20000, 2))
    # In parts: 20,000 heatmaps at once need gigabytes.
    decoded = np.concatenate([
        codec.decode(codec.encode(part)['heatmaps'])[0]
        for part in np.split(points, 20, axis=1)
    ], 1)
    error = (decoded - points)[0]
    assert np.abs(error).max() <= 2 + 1e-4  # float32
    assert np.abs(error.mean(axis=0)).max() < 0.041
    assert np.abs(np.abs(error).mean(axis=0) - 1).max() < 0.041
    # Every cell of every row and column, the border included, was met.
    cells = np.unique((points // 4).astype(int)[0], axis=0)
    assert set(cells[:, 0]) == set(cells[:, 1]) == set(range(64))


def test_subpixel_round_trip_is_exact_to_the_border():
    """The logarithm of a Gaussian is a parabola, whose peak one Newton step
    finds; what is left is float32's rounding of the heatmap."""
    codec = build(refinement='subpixel')
    # The first and the last pixel end half a pixel from their centres.
    points = np.random.default_rng(1).uniform(-0.5, 255.5, (1, 2000, 2))
    points[0, :4] = [[-0.5, -0.5], [255.49, -0.5], [-0.5, 255.49],
                     [255.49, 255.49]]
    decoded, scores = codec.decode(codec.encode(points)['heatmaps'])
    assert np.abs(decoded - points).max() < 1e-3
    # The nearest cell is half a cell away at most in x and in y.
    assert scores.min() >= np.exp(-0.25) - 1e-5


def test_subpixel_of_a_wide_gaussian():
    """Its second derivatives are -1/100, their determinant 1e-4; float32
    rounds them by 1e-7, which moves the peak by 1e-5 of a cell."""
    codec = build(refinement='subpixel', sigma=10)
    points = np.array([[[100.3, 121.7]]])
    decoded, _ = codec.decode(codec.encode(points)['heatmaps'])
    np.testing.assert_allclose(decoded, points, atol=1e-3)


def test_quarter_cell_towards_the_higher_neighbour():
    heatmap = torch.zeros(1, 1, 8, 8)
    heatmap[0, 0, 3, 4] = 1.0
    heatmap[0, 0, 3, 5] = 0.5  # right of the peak
    heatmap[0, 0, 2, 4] = 0.3  # above it
    keypoints, scores = decode_heatmaps(heatmap, STRIDE)
    # x: (4 + 0.25 + 0.5) * 4 = 19, y: (3 - 0.25 + 0.5) * 4 = 13
    assert keypoints[0, 0].tolist() == [19.0, 13.0]
    assert scores.item() == 1


def test_no_quarter_cell_unless_both_axes_are_interior():
    heatmap = torch.zeros(1, 1, 8, 8)
    heatmap[0, 0, 0, 4] = 1.0
    heatmap[0, 0, 0, 5] = 0.5
    keypoints, _ = decode_heatmaps(heatmap, STRIDE)
    assert keypoints[0, 0].tolist() == [18.0, 2.0]


def loop_decode(heatmap):
    """The paper's decoding, one heatmap and one cell at a time."""
    best = (-np.inf, 0, 0)
    for y in range(heatmap.shape[0]):
        for x in range(heatmap.shape[1]):
            if heatmap[y, x] > best[0]:
                best = (heatmap[y, x], x, y)
    score, x, y = best
    px, py = float(x), float(y)
    if 0 < x < heatmap.shape[1] - 1 and 0 < y < heatmap.shape[0] - 1:
        px += 0.25 * np.sign(heatmap[y, x + 1] - heatmap[y, x - 1])
        py += 0.25 * np.sign(heatmap[y + 1, x] - heatmap[y - 1, x])
    return (px + 0.5) * 4, (py + 0.5) * 4, score


def test_batched_decoding_equals_a_loop_over_cells():
    heatmaps = np.random.default_rng(2).standard_normal(
        (3, 5, 12, 16)).astype(np.float32)
    keypoints, scores = decode_heatmaps(torch.from_numpy(heatmaps), STRIDE)
    for b in range(3):
        for k in range(5):
            x, y, score = loop_decode(heatmaps[b, k])
            assert keypoints[b, k].tolist() == [x, y]
            assert scores[b, k].item() == score


@pytest.mark.parametrize('refinement', ['quarter', 'subpixel', 'none'])
def test_decode_of_one_person_equals_the_batch(refinement):
    codec = build(refinement=refinement)
    heatmaps = np.random.default_rng(3).random((4, 16, 64, 64), np.float32)
    keypoints, scores = codec.batch_decode(torch.from_numpy(heatmaps))
    for person in range(4):
        alone = codec.decode(heatmaps[person])
        np.testing.assert_array_equal(keypoints[person], alone[0])
        np.testing.assert_array_equal(scores[person], alone[1])
        assert alone[0].shape == (1, 16, 2) and alone[1].shape == (1, 16)


def test_flipped_subpixel_heatmaps_line_up_everywhere():
    """For every position, not only for whole pixels as the paper's cells."""
    codec = build(refinement='subpixel')
    points = np.random.default_rng(2).uniform(20, 230, (1, 16, 2))
    flipped = points.copy()
    flipped[..., 0] = 255 - points[..., 0]
    heatmaps, reverse = (codec.encode(x)['heatmaps']
                         for x in (points, flipped))
    # Only float32's rounding of values up to 1 is left.
    np.testing.assert_allclose(reverse[..., ::-1], heatmaps, atol=1e-6)


def test_subpixel_of_a_rotated_blob():
    """An elongated, rotated Gaussian: its parabola has a mixed term."""
    y, x = np.mgrid[:16, :16].astype(np.float64)
    dx, dy = x - 7.3, y - 8.2
    heatmap = np.exp(-0.5 * (0.5 * dx**2 + 0.4 * dx * dy + 0.3 * dy**2))
    keypoints, _ = decode_heatmaps(
        torch.from_numpy(heatmap)[None, None].float(), STRIDE, 'subpixel')
    np.testing.assert_allclose(
        keypoints[0, 0], [(7.3 + 0.5) * 4 - 0.5, (8.2 + 0.5) * 4 - 0.5],
        atol=1e-3)


def heatmap_of(rows):
    """The exponential of a 3 x 3 neighbourhood, around cell (4, 3)."""
    heatmap = torch.zeros(1, 1, 8, 9)
    heatmap[0, 0, 2:5, 3:6] = torch.tensor(rows).exp()
    return heatmap


@pytest.mark.parametrize('sign', [1, -1])
def test_subpixel_stays_within_half_a_cell(sign):
    """Both second derivatives -1, the mixed one 0.495, the first ones 0.4:
    the parabola's peak is 0.79 cells away in x and in y."""
    rows = np.array([[-0.01, -0.9, -1.0], [-0.9, 0.0, -0.1],
                     [-1.0, -0.1, -0.01]])
    keypoints, _ = decode_heatmaps(
        heatmap_of(rows[::sign, ::sign].tolist()), STRIDE, 'subpixel')
    np.testing.assert_allclose(
        keypoints[0, 0],
        [(4.5 + sign * 0.5) * 4 - 0.5, (3.5 + sign * 0.5) * 4 - 0.5],
        rtol=1e-6)


def test_subpixel_keeps_the_cell_on_a_saddle():
    # The mixed derivative, 2, is larger than the others, -0.25 and -0.2.
    rows = [[-0.01, -0.1, -4.0], [-0.2, 0.0, -0.05], [-4.0, -0.1, -0.01]]
    keypoints, _ = decode_heatmaps(heatmap_of(rows), STRIDE, 'subpixel')
    assert keypoints[0, 0].tolist() == [4.5 * 4 - 0.5, 3.5 * 4 - 0.5]


def test_subpixel_does_not_depend_on_the_height():
    """Nor on that of another keypoint: early in training peaks are low."""
    high = draw([[41.3, 83.1]], exact_centers=True)
    heatmaps = torch.stack([high, 1e-4 * high], 1)
    keypoints, _ = decode_heatmaps(heatmaps, STRIDE, 'subpixel')
    # float32 rounds the logarithms of 3e-6 of a cell's side.
    np.testing.assert_allclose(keypoints, [[[41.3, 83.1]] * 2], atol=1e-3)


def test_without_refinement_the_middle_of_the_cell():
    heatmap = torch.zeros(1, 1, 8, 8)
    heatmap[0, 0, 3, 4] = 1.0
    heatmap[0, 0, 3, 5] = heatmap[0, 0, 2, 4] = 0.5
    # Cells of 2 x 8 pixels.
    keypoints, _ = decode_heatmaps(heatmap, (2, 8), refinement='none')
    assert keypoints[0, 0].tolist() == [4.5 * 2, 3.5 * 8]


@pytest.mark.parametrize('refinement', ['quarter', 'subpixel', 'none'])
@pytest.mark.parametrize('layout',
                         [torch.contiguous_format, torch.channels_last])
def test_everything_is_on_the_heatmaps_device(refinement, layout):
    heatmaps = torch.rand(2, 3, 8, 8).to(memory_format=layout)
    expected = decode_heatmaps(heatmaps, STRIDE, refinement)
    # Where nothing is computed, so what is made there cannot be decoded.
    with torch.device('meta'):
        found = decode_heatmaps(heatmaps, STRIDE, refinement)
        drawn = build().draw(expected[0], expected[1])
    assert drawn.device.type == 'cpu'
    for one, other in zip(found, expected):
        assert torch.equal(one, other)


def test_subpixel_keeps_the_cell_where_there_is_no_peak():
    keypoints, scores = decode_heatmaps(
        torch.zeros(1, 1, 8, 8), STRIDE, 'subpixel')
    assert scores.item() == 0
    # The middle of some cell, in pixels counted from a pixel's centre.
    assert ((keypoints + 0.5) / 4 % 1 == 0.5).all()


def test_outside_and_unannotated_give_zeros_and_no_weight():
    codec = build()
    points = np.array([[[-0.1, 5], [256.0, 5], [5, 255.9], [5, 5],
                        [np.nan, 5], [np.inf, 5]]])
    visible = np.array([[1, 1, 1, 0, 1, 1]])
    encoded = codec.encode(points, visible)
    assert encoded['keypoint_weights'].tolist() == [[0, 0, 1, 0, 0, 0]]
    assert encoded['heatmaps'].max(axis=(1, 2)).tolist() == [0, 0, 1, 0, 0, 0]
    assert encoded['heatmaps'].dtype == np.float32


def test_keypoints_instead_of_heatmaps():
    codec = build(encode_on_device=True)
    points = np.array([[[-0.1, 5], [255.99999999, 5], [5, 255.9], [5, 5],
                        [np.nan, 5]]])
    encoded = codec.encode(points, np.array([[1, 1, 1, 0, 1]]))
    assert sorted(encoded) == ['keypoint_labels', 'keypoint_weights']
    assert encoded['keypoint_labels'].dtype == np.float32
    np.testing.assert_array_equal(encoded['keypoint_labels'],
                                  points.astype(np.float32))
    # In float32 the second one is 256, which is outside.
    assert encoded['keypoint_weights'].tolist() == [[0, 0, 1, 0, 0]]
    assert encoded['keypoint_weights'].dtype == np.float32
    drawn = codec.draw(*(torch.from_numpy(encoded[name]) for name in (
        'keypoint_labels', 'keypoint_weights')))
    assert drawn.amax((2, 3)).tolist() == [[0, 0, 1, 0, 0]]


def test_flipping_whole_pixels_lines_up():
    codec = build()
    x = np.arange(256.0)
    points = np.stack([x, np.full(256, 100.0)], 1)[None]
    flipped = np.stack([255 - x, np.full(256, 100.0)], 1)[None]
    np.testing.assert_array_equal(
        codec.encode(points)['heatmaps'],
        codec.encode(flipped)['heatmaps'][..., ::-1])


def test_other_strides_and_shapes():
    codec = build(input_size=(192, 256), heatmap_size=(48, 64))
    encoded = codec.encode(np.array([[[190.0, 254.0]]]))
    assert encoded['heatmaps'].shape == (1, 64, 48)
    assert codec.decode(encoded['heatmaps'])[0].tolist() == [[[190, 254]]]


@pytest.mark.parametrize('name,count', [('MPIIHeatmap', 16),
                                        ('FLICHeatmap', 11),
                                        ('LSPHeatmap', 14)])
def test_dataset_codecs_check_the_number_of_keypoints(name, count):
    codec = build(name)
    assert codec.encode(np.zeros((1, count, 2)))['heatmaps'].shape == (count,
                                                                       64, 64)
    with pytest.raises(ValueError):
        codec.encode(np.zeros((1, 17, 2)))


@pytest.mark.parametrize('options', [
    dict(sigma=0),
    dict(sigma=True),
    dict(sigma='1'),
    dict(sigma=float('nan')),
    dict(sigma=float('inf')),
    dict(refinement='half'),
    dict(input_size=(float('inf'), 9)),
    dict(input_size=(256, )),
    dict(input_size='64'),
    dict(heatmap_size=(64, 0)),
    dict(heatmap_size=(2, 64)),
    dict(heatmap_size=(64.5, 64)),
    dict(heatmap_size=(300, 64)),
    dict(heatmap_size=(64, 300)),
], ids=str)
def test_bad_arguments(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        build(**options)


def test_the_smallest_sizes():
    assert build(input_size=(3, 3), heatmap_size=(3, 3)).stride == (1, 1)


@pytest.mark.parametrize('keypoints, visible', [
    (np.zeros((2, 16, 2)), None),
    (np.zeros((16, 2)), None),
    (np.zeros((1, 16, 3)), None),
    (np.zeros((1, 16, 2)), np.ones(16)),
    (np.zeros((1, 16, 2)), np.ones((1, 15))),
])
def test_encode_refuses_other_shapes(keypoints, visible):
    with pytest.raises(ValueError):
        build().encode(keypoints, visible)


@pytest.mark.parametrize('shape', [(1, 16, 32, 32), (16, 64, 64),
                                   (1, 16, 64, 32)])
def test_decode_refuses_other_shapes(shape):
    with pytest.raises(ValueError):
        build().batch_decode(torch.zeros(shape))


def test_where_mmpose_packs_targets():
    assert build().sigma == 1.0
    weights = dict(keypoint_weights='keypoint_weights')
    for on_device, labels, fields in ((False, {}, ['heatmaps']),
                                      (True, ['keypoint_labels'], {})):
        codec = build(encode_on_device=on_device)
        assert codec.label_mapping_table == {
            **weights,
            **{name: name for name in labels}
        }
        assert codec.field_mapping_table == {name: name for name in fields}


def test_weights_of_exact_centers_reach_to_the_pixels_border():
    """Cells begin half a pixel before the first pixel's centre."""
    points = np.array([[[-0.4, 5], [255.6, 5], [5, 5]]])
    for on_device in (False, True):
        encoded = build(
            refinement='subpixel', encode_on_device=on_device).encode(points)
        assert encoded['keypoint_weights'].tolist() == [[1, 0, 1]]
