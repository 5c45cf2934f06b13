"""From the source image to the crop and back, proved with bright pixels.

MMPose's ``GetBBoxCenterScale`` and the package's own transforms. Positions
are expected from a matrix that is written out here a second time, in double
precision: a crop of W x H pixels at angle a, zoom z = W / width of the box,
has

    crop = z * R(a) * (source - centre) + (W, H) / 2,

R(a) turning by a counter-clockwise as one sees it, the y axis pointing down.
"""
import numpy as np
import pytest
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from hourglass_plugin.transforms import (
    RandomHorizontalFlip,
    RandomScaleRotation,
    TopdownCrop,
)

#: OpenCV's bilinear interpolation knows positions to a 32nd of a pixel.
OPENCV_STEP = 1 / 32


def crop(image, center, box, size, factor=1.0, degrees=0.0, flip=False,
         keypoints=((0, 0), )):
    """The record after a training pipeline's ``TopdownCrop``.

    ``box`` is the box's width and height without padding, ``size`` the
    crop's; the augmentation draws ``factor`` and ``degrees``. ``center`` and
    ``keypoints`` (K, 2) are source pixels.
    """
    center, half = np.asarray(center, float), np.asarray(box, float) / 2
    record = dict(
        img=image,
        img_shape=image.shape[:2],
        bbox=np.float32([[*center - half, *center + half]]),
        keypoints=np.float32([keypoints]),
        keypoints_visible=np.ones((1, len(keypoints)), np.float32),
        flip_indices=list(range(len(keypoints))))
    turn = RandomScaleRotation()
    turn.sample = lambda: (factor, degrees)
    pad = TRANSFORMS.build(dict(type='GetBBoxCenterScale', padding=1.25))
    for transform in (pad, RandomHorizontalFlip(float(flip)), turn,
                      TopdownCrop(size)):
        record = transform(record)
    return record


def expected_matrix(center, box, size, factor=1.0, degrees=0.0):
    """(2, 3), source to crop, in double precision."""
    width, height = np.asarray(box) * 1.25 * factor
    zoom = min(size[0] / width, size[1] / height)  # all of the box is inside
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = zoom * np.array([[cos, sin], [-sin, cos]])
    shift = np.asarray(size) / 2 - linear @ np.asarray(center, float)
    return np.column_stack([linear, shift])


def source_positions(matrix, size):
    """(H, W, 2): which source position each pixel of the crop shows."""
    pixels = np.stack(
        np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1)
    return (pixels - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def ramp(width, height):
    """An image whose value is its own position: x, y and 1."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x, y, np.ones_like(x)], axis=-1).astype(np.float32)


FULL_CIRCLE = [*range(-180, 181, 45), -30, 30, 17.3, 60]


@pytest.mark.parametrize('center, factor', [
    ((8, 60), 1), ((150, 4), 0.75), ((149, 119), 1.25), ((-20, 60), 1),
    ((75, 135), 0.5), ((75, 60), 2)])
@pytest.mark.parametrize('flip', [False, True])
def test_every_pixel_of_the_crop_shows_its_own_place(center, factor, flip):
    """Inside the image; outside it is black, and between them is the image's
    last pixel, fading out. Interpolating a ramp is exact but for OpenCV's
    step, of which half is rounding; 1e-2 is float32 at some hundreds."""
    width, height = 150, 120
    size, box = (192, 256), (70, 80)
    turned = (width - 1 - center[0], center[1]) if flip else center
    for degrees in FULL_CIRCLE:
        found = crop(ramp(width, height), center, box, size, factor, degrees,
                     flip)['img']
        place = source_positions(
            expected_matrix(turned, box, size, factor, degrees), size)
        outwards = np.maximum(-place,
                              place - [width - 1, height - 1]).max(axis=2)
        inside, outside = outwards < -OPENCV_STEP, outwards > 1 + OPENCV_STEP
        assert inside.any() and outside.any()
        assert (found[outside] == 0).all()
        np.testing.assert_allclose(found[inside][:, 2], 1, atol=1e-5)
        shown = found[inside][:, :2]
        if flip:
            shown[:, 0] = width - 1 - shown[:, 0]
        np.testing.assert_allclose(shown, place[inside],
                                   atol=OPENCV_STEP / 2 + 1e-2)


def centroids(image):
    """(3, 2): x and y of the spot in each channel."""
    weight = image.astype(float)
    rows, columns = np.mgrid[:image.shape[0], :image.shape[1], :1][:2]
    return np.stack([(weight * columns).sum((0, 1)),
                     (weight * rows).sum((0, 1))], 1) / weight.sum(
                         (0, 1))[:, None]


def errors_of_a_perfect_network(refinement, flip_test, size, count):
    """Errors (N, 2) in crop pixels after MMPose's way back to the source.

    The network finds the spot in each channel and answers with the heatmap
    that training asks for at this place. The spots are Gaussians of 2 source
    pixels around positions anywhere between pixels, so that their centroid in
    the crop is known to some hundredths of a pixel.
    """
    codec = KEYPOINT_CODECS.build(
        dict(type='HourglassHeatmap', input_size=size, refinement=refinement,
             heatmap_size=(size[0] // 4, size[1] // 4)))
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[:240, :320]
    errors = []
    for _ in range(count):
        center, side = rng.uniform(100, 140, 2), rng.uniform(90, 120)
        joints = center + rng.uniform(-0.35, 0.35, (3, 2)) * side
        spots = [
            np.exp(-((columns - x)**2 + (rows - y)**2) / (2 * 2.0**2))
            for x, y in joints
        ]
        image = np.rint(255 * np.stack(spots, axis=-1)).astype(np.uint8)
        record = crop(image, center, (side, side), size, keypoints=joints)
        seen = centroids(record['img'])
        heatmaps = codec.encode(seen[None])['heatmaps']
        if flip_test:
            turned = codec.encode(((size[0] - 1, 0) - seen * (1, -1))[None])
            heatmaps = (heatmaps + turned['heatmaps'][..., ::-1]) / 2
        (found, ), _ = codec.decode(heatmaps)
        shown = record['input_scale']
        found = found / size * shown + record['input_center'] - shown / 2
        errors.append((found - joints) * size[0] / shown[0])
    return np.concatenate(errors)


#: The paper's cells hold the positions [4 c, 4 c + 4), of which the middle is
#: decoded. Flipped they are (W - 1 - x), so a cell that is flipped back
#: holds (4 c - 1, 4 c + 3]: one pixel less, and seems to be one pixel too far
#: to the right. The mean of both heatmaps has half of it.
FLIP_TEST_SHIFT = 0.5


@pytest.mark.parametrize('size', [(256, 256), (192, 256)])
@pytest.mark.parametrize('flip_test', [False, True])
def test_subpixel_decoding_returns_the_joint(flip_test, size):
    """To 0.05 pixel of the crop: the centroid of spots of 256 grey levels
    (0.02), and the Gaussian's edge, cut at three cells."""
    errors = errors_of_a_perfect_network('subpixel', flip_test, size, 40)
    assert np.abs(errors).max() < 0.05
    assert np.abs(errors.mean(axis=0)).max() < 0.01


def test_quarter_cell_decoding_has_half_the_flip_tests_shift_at_most():
    """Errors are uniform in a cell, +-2 pixels, standard deviation 4 /
    sqrt(12). The mean of 300 has 0.067; four of them are allowed; in x at
    most the shift more."""
    errors = errors_of_a_perfect_network('quarter', True, (256, 256), 100)
    allowed = 4 * 4 / np.sqrt(12) / np.sqrt(len(errors))
    x, y = errors.mean(axis=0)
    assert abs(y) < allowed
    assert -allowed < x < allowed + FLIP_TEST_SHIFT
