"""``TopdownCrop`` against MMPose's transforms one after the other."""
import cv2
import numpy as np
import pytest
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS
from PIL import Image

from hourglass_plugin.skeletons import MPII
from hourglass_plugin.transforms import RandomHorizontalFlip, TopdownCrop, crop
from hourglass_plugin.transforms.image_io import UnreadableImageError

CENTER_SCALE = dict(type='GetBBoxCenterScale', padding=1.25)


def run(person, *transforms):
    """The record after transforms or their configs; ``person`` stays."""
    person = {key: value.copy() if isinstance(value, np.ndarray) else value
              for key, value in person.items()}
    for transform in transforms:
        if isinstance(transform, dict):
            transform = TRANSFORMS.build(transform)
        person = transform(person)
    return person


def affine(*size):
    """MMPose's crop."""
    return dict(type='TopdownAffine', input_size=size)


def record(rng, size, rotation=None, **others):
    """A person somewhere in an image of W x H pixels."""
    center = rng.uniform(0.2, 0.8, 2) * size
    half = rng.uniform(0.1, 0.6, 2) * size / 2
    if rotation is not None:
        others['bbox_rotation'] = np.array([rotation], np.float32)
    return dict(
        bbox=np.float32([[*center - half, *center + half]]),
        keypoints=(rng.uniform(0, 1, (1, 16, 2)) * size).astype(np.float32),
        keypoints_visible=rng.integers(0, 2, (1, 16)).astype(np.float32),
        flip_indices=MPII.flip_indices,
        **others)


def assert_same(found, expected):
    """Same keys, types and values."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if isinstance(value, np.ndarray):
            assert found[key].dtype == value.dtype
            np.testing.assert_array_equal(found[key], value, err_msg=key)
        else:
            assert found[key] == value, key


def noise(rng, size, channels=3):
    shape = (size[1], size[0], channels)[:2 if channels == 1 else 3]
    return rng.integers(0, 256, shape).astype(np.uint8)


def save(path, image, orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = dict(exif=exif) if path.suffix == '.jpg' else {}
    Image.fromarray(image).save(path, quality=100, subsampling=0, **options)
    return str(path)


# Crops of 64 x 48 take the way over four channels up to 12,288 pixels.
@pytest.mark.parametrize('size', [(90, 70), (201, 333)])
@pytest.mark.parametrize('name, channels, orientation',
                         [('a.jpg', 3, 1), ('a.jpg', 3, 6), ('a.jpg', 1, 1),
                          ('a.png', 3, 1), ('a.png', 1, 1), ('a.png', 4, 1)])
@pytest.mark.parametrize('rotation', [None, 33.3])
def test_crops_to_evaluate_are_mmposes(size, name, channels, orientation,
                                       rotation, tmp_path):
    rng = np.random.default_rng(0)
    path = save(tmp_path / name, noise(rng, size, channels), orientation)
    for input_size in ((64, 48), (48, 48), (31, 57)):
        person = record(rng, size, rotation, img_path=path)
        expected = run(person, dict(type='LoadImage'), CENTER_SCALE,
                       affine(*input_size))
        assert expected['img'].shape == (*input_size[::-1], 3)
        assert_same(run(person, CENTER_SCALE, TopdownCrop(input_size)),
                    expected)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('before', [
    [], [dict(type='LoadImage')],
    [dict(type='LoadImage'), CENTER_SCALE, dict(type='RandomFlip', prob=1.0)]])
def test_images_that_are_there_already(dtype, channels, before):
    """With MMPose's LoadImage before it, or from tools/predict.py; and not
    flipped again. Asked to reduce, it does not."""
    rng = np.random.default_rng(1)
    image = noise(rng, (90, 70), channels).astype(dtype)
    person = record(rng, (90, 70), img=image)
    expected = run(person, *before or [dict(type='LoadImage')], CENTER_SCALE,
                   affine(64, 48))
    assert expected['img_path'] is None
    assert expected.get('flip', False) is (len(before) == 3)
    assert_same(run(person, *before, CENTER_SCALE,
                    TopdownCrop((64, 48), reduced_decoding=True)), expected)


@pytest.mark.parametrize('visible_columns', [None, 2])
@pytest.mark.parametrize('flip', [False, True])
def test_flipped_records_equal_mmposes(flip, visible_columns):
    """All but the image's values, which the next test looks at: MMPose warps
    the flipped image, we flip the matrix."""
    rng = np.random.default_rng(2)
    image = noise(rng, (140, 100))
    person = record(rng, (140, 100), -21.5, img=image)
    if visible_columns:  # as MMPose's datasets for whole bodies have them
        person['keypoints_visible'] = rng.integers(0, 2, (1, 16, 2))
    expected = run(person, dict(type='LoadImage'), CENTER_SCALE,
                   dict(type='RandomFlip', prob=float(flip)), affine(64, 48))
    found = run(person, CENTER_SCALE, RandomHorizontalFlip(float(flip)),
                TopdownCrop((64, 48)))
    assert found.pop('img').shape == expected.pop('img').shape
    assert found['flip'] is flip
    assert_same(found, expected)


def spots_image(places, sigma, size):
    """A Gaussian spot per colour channel at places in the file's pixels."""
    rows, columns = np.mgrid[:size[1], :size[0]]
    return np.rint(255 * np.dstack([
        np.exp(-((columns - x)**2 + (rows - y)**2) / (2 * sigma**2))
        for x, y in places])).astype(np.uint8)


def centroids(image, threshold=0):
    """(3, 2): of the channels red, green and blue."""
    weight = image[..., ::-1].astype(float)
    weight[weight < threshold] = 0
    rows, columns = np.mgrid[:image.shape[0], :image.shape[1]]
    return np.stack([(weight * columns[..., None]).sum((0, 1)),
                     (weight * rows[..., None]).sum((0, 1))],
                    axis=1) / weight.sum((0, 1))[:, None]


def watch(monkeypatch, name):
    """A list of what a function of the module returns from now on."""
    original, results = getattr(crop, name), []

    def watched(*arguments):
        results.append(original(*arguments))
        return results[-1]

    monkeypatch.setattr(crop, name, watched)
    return results


@pytest.mark.parametrize('factor', [1, 2, 4, 8])
@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('orientation', [1, 3, 6])
def test_joints_stay_on_their_spots(factor, flip, orientation, tmp_path,
                                    monkeypatch):
    """From an image of odd size, reduced or whole, to the rotated crop; in a
    flipped one left joints are on what was right.

    The spots' places in the whole image are measured in OpenCV's own
    whole image. Both measurements see spots of 1.5 crop pixels or more in 256
    grey levels, to 0.05 pixel each; an error in the size or the centre of the
    reduced pixels would be at least half a pixel of the whole image,
    1 / 16 of the crop's at factor 8, and at factor 2 a quarter.
    """
    loaded = watch(monkeypatch, 'load_image')
    size = (128 * factor + 1, 112 * factor + 1)
    middle = np.array([64, 56]) * factor
    places = middle + factor * np.array([[-21.3, 4.2], [9.7, 17.4],
                                         [12.1, -19.6]])
    path = save(tmp_path / 'a.jpg', spots_image(places, 1.5 * factor, size),
                orientation)
    whole = cv2.imread(path)
    joints = centroids(whole, 8)  # JPEG adds less to other colours
    center = np.array(whole.shape[1::-1]) / 2 - 0.3
    half = 32 * factor + 0.01  # 64 pixels of the crop, padding 1
    for degrees in (17.0, 160.0):
        person = dict(
            img_path=path,
            bbox=np.float32([[*center - half, *center + half]]),
            keypoints=joints[None].astype(np.float32),
            keypoints_visible=np.ones((1, 3), np.float32),
            flip_indices=[0, 2, 1],
            bbox_rotation=np.array([degrees]))
        found = run(person, dict(type='GetBBoxCenterScale', padding=1.0),
                    RandomHorizontalFlip(float(flip)),
                    TopdownCrop((64, 64), reduced_decoding=True))
        assert found['ori_shape'] == whole.shape[:2]
        spots = centroids(found['img'], 8)
        expected = found['transformed_keypoints'][0]
        if flip:  # joints 1 and 2 have changed sides, colours have not
            expected = expected[[0, 2, 1]]
        np.testing.assert_allclose(spots, expected, atol=0.06)
    assert [image.factor for image in loaded] == [
        factor if orientation == 1 else 1] * 2


@pytest.mark.parametrize('box, reduced, factor', [
    ((256, 256), True, 4), ((255, 255), True, 2), ((128, 128), True, 2),
    ((127, 127), True, 1), ((900, 900), True, 8), ((900, 900), False, 1),
    # Narrow boxes are widened first: the crop shows 300 x 300 pixels.
    ((127, 300), True, 4), ((300, 127), True, 4)])
def test_as_large_as_the_crop_at_least(box, reduced, factor, monkeypatch,
                                       tmp_path):
    """A crop of 64 pixels of boxes as large as that even when reduced."""
    path = save(tmp_path / 'a.jpg', np.zeros((40, 40, 3), np.uint8))
    loaded = watch(monkeypatch, 'load_image')
    TopdownCrop((64, 64), reduced_decoding=reduced)(
        dict(img_path=path, bbox_center=np.float32([[20, 20]]),
             bbox_scale=np.float32([box])))
    assert loaded[0].pixels.shape[:2] == (40 // factor, 40 // factor)


def crop_of(center, scale, image=(80, 100, 3)):
    return TopdownCrop((4, 3))(dict(
        img=np.zeros(image, np.uint8), img_path='a.jpg',
        bbox_center=np.atleast_2d(center), bbox_scale=np.atleast_2d(scale)))


@pytest.mark.parametrize('call, argument', [
    (TopdownCrop, (64, )), (TopdownCrop, (64, 0)), (TopdownCrop, (64.5, 64)),
    (lambda center: crop_of(center, [[40, 30]] * 2), [[50, 40]] * 2)])
def test_impossible_sizes_and_several_people_are_refused(call, argument):
    with pytest.raises(ValueError):
        call(argument)


# A box of 40 x 30 pixels: its corners are 25 pixels from its centre.
@pytest.mark.parametrize('center, scale, is_there', [
    ((50, 40), (40, 30), True), ((-24.9, 40), (40, 30), True),
    ((-25, 40), (40, 30), False),
    ((124.9, 40), (40, 30), True), ((125, 40), (40, 30), False),
    ((50, -24.9), (40, 30), True), ((50, -25), (40, 30), False),
    ((50, 104.9), (40, 30), True), ((50, 105), (40, 30), False),
    ((50, 40), (0.4, 0.3), True), ((50, 40), (0, 0), False),
    ((50, 40), (-40, -30), False), ((50, 40), (np.nan, np.nan), False),
    ((50, 40), (40, np.inf), False), ((np.nan, 40), (40, 30), False),
    ((50, 40), (1e30, 1e30), True), ((50, 40), (1e-30, 1e-30), True)])
def test_boxes_that_have_no_part_of_the_image(center, scale, is_there):
    if is_there:
        assert crop_of(center, scale)['img'].shape == (3, 4, 3)
        return
    with pytest.raises(UnreadableImageError) as raised:
        crop_of(center, scale)
    assert raised.value.path == 'a.jpg'


def test_a_side_that_opencv_cannot_crop_is_refused():
    with pytest.raises(UnreadableImageError):
        crop_of((9, 1), (2, 2), image=(2, 32767, 3))


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
    errors = []
    for _ in range(count):
        center, side = rng.uniform(100, 140, 2), rng.uniform(90, 120)
        joints = center + rng.uniform(-0.35, 0.35, (3, 2)) * side
        box = np.float32([[*center - side / 2, *center + side / 2]])
        record = run(dict(img=spots_image(joints, 2, (320, 240)), bbox=box),
                     CENTER_SCALE, TopdownCrop(size))
        seen = centroids(record['img'][..., ::-1])
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
