"""``TopdownCrop`` against MMPose's transforms one after the other."""
import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import get_warp_matrix
from PIL import Image

from hourglass_plugin.skeletons import MPII
from hourglass_plugin.transforms import TopdownCrop, crop, image_io
from hourglass_plugin.transforms.image_io import UnreadableImageError


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def compose(*transforms):
    """One after the other."""
    built = [
        TRANSFORMS.build(transform)
        if isinstance(transform, dict) else transform
        for transform in transforms
    ]

    def run(record):
        for transform in built:
            record = transform(record)
        return record

    return run


def record(rng, size, rotation=None, **others):
    """A person somewhere in an image of W x H pixels."""
    center = rng.uniform(0.2, 0.8, 2) * size
    half = rng.uniform(0.1, 0.6, 2) * size / 2
    result = dict(
        bbox=np.concatenate([center - half,
                             center + half])[None].astype(np.float32),
        keypoints=(rng.uniform(0, 1, (1, 16, 2)) * size).astype(np.float32),
        keypoints_visible=rng.integers(0, 2, (1, 16)).astype(np.float32),
        flip_indices=MPII.flip_indices,
        **others)
    if rotation is not None:
        result['bbox_rotation'] = np.array([rotation], np.float32)
    return result


def assert_same(found, expected):
    """Same keys, types and values."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if isinstance(value, np.ndarray):
            assert found[key].dtype == value.dtype
            np.testing.assert_array_equal(found[key], value, err_msg=key)
        else:
            assert found[key] == value, key


CENTER_SCALE = dict(type='GetBBoxCenterScale', padding=1.25)


def copied(person):
    return {
        key: value.copy() if isinstance(value, np.ndarray) else value
        for key, value in person.items()
    }


def noise(rng, size, channels=3):
    shape = (size[1], size[0], channels)[:2 if channels == 1 else 3]
    return rng.integers(0, 256, shape).astype(np.uint8)


def save(path, image, orientation=1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = dict(exif=exif) if path.suffix == '.jpg' else {}
    Image.fromarray(image).save(path, **options)
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
        expected = compose(
            dict(type='LoadImage'), CENTER_SCALE,
            dict(type='TopdownAffine', input_size=input_size))(
                copied(person))
        found = compose(CENTER_SCALE,
                        dict(type='TopdownCrop',
                             input_size=input_size))(copied(person))
        assert expected['img'].shape == (*input_size[::-1], 3)
        assert_same(found, expected)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
@pytest.mark.parametrize('channels', [1, 3])
def test_images_that_are_there_already(dtype, channels):
    """With MMPose's LoadImage before it, or from tools/predict.py."""
    rng = np.random.default_rng(1)
    person = record(rng, (90, 70), img=noise(rng, (90, 70), channels))
    person['img'] = person['img'].astype(dtype)
    expected = compose(
        dict(type='LoadImage'), CENTER_SCALE,
        dict(type='TopdownAffine', input_size=(64, 48)))(
            copied(person))
    # Asked to reduce, it does not: there is nothing left to decode.
    crop_person = dict(
        type='TopdownCrop', input_size=(64, 48), reduced_decoding=True)
    assert expected['img_path'] is None
    assert_same(compose(CENTER_SCALE, crop_person)(copied(person)), expected)
    assert_same(
        compose(dict(type='LoadImage'), CENTER_SCALE,
                crop_person)(copied(person)), expected)


@pytest.mark.parametrize('visible_columns', [None, 2])
@pytest.mark.parametrize('flip', [False, True])
def test_flipped_records_equal_mmposes(flip, visible_columns):
    """All but the image's values, which test_geometry.py looks at: MMPose
    warps the flipped image, we flip the matrix. Of a ramp of one grey
    level a pixel they differ by one at most, from rounding."""
    rng = np.random.default_rng(2)
    size = (140, 100)
    ramp = np.add.outer(np.arange(100), np.arange(140)).astype(np.uint8)
    image = np.dstack([ramp, ramp, 255 - ramp])
    person = record(rng, size, -21.5, img=image)
    if visible_columns:  # as MMPose's datasets for whole bodies have them
        person['keypoints_visible'] = rng.integers(0, 2, (1, 16, 2))
    expected = compose(
        dict(type='LoadImage'), CENTER_SCALE,
        dict(type='RandomFlip', prob=float(flip)),
        dict(type='TopdownAffine', input_size=(64, 48)))(
            copied(person))
    found = compose(CENTER_SCALE,
                    dict(type='RandomHorizontalFlip', prob=float(flip)),
                    dict(type='TopdownCrop', input_size=(64, 48)))(
                        copied(person))
    images = found.pop('img').astype(int), expected.pop('img').astype(int)
    outside = (images[1] == 0).any(axis=2)  # fades out at the border
    inside = cv2.erode(1 - outside.astype(np.uint8), np.ones((3, 3))) > 0
    assert inside.sum() > 200
    assert np.abs(images[0] - images[1])[inside].max() <= 1
    assert found['flip'] is flip
    assert_same(found, expected)


def test_after_mmposes_random_flip_nothing_is_flipped_again():
    rng = np.random.default_rng(3)
    person = record(rng, (90, 70), img=noise(rng, (90, 70)))
    first = [
        dict(type='LoadImage'), CENTER_SCALE,
        dict(type='RandomFlip', prob=1.0)
    ]
    expected = compose(
        *first, dict(type='TopdownAffine', input_size=(64, 48)))(
            copied(person))
    found = compose(*first, dict(type='TopdownCrop', input_size=(64, 48)))(
        copied(person))
    assert found['flip'] is True
    assert_same(found, expected)


def test_without_joints():
    """People whose pose is to be predicted."""
    person = record(
        np.random.default_rng(4), (90, 70), img=np.zeros((70, 90, 3)))
    del person['keypoints'], person['keypoints_visible']
    found = compose(CENTER_SCALE,
                    dict(type='TopdownCrop', input_size=(64, 48)))(person)
    assert found['img'].shape == (48, 64, 3)
    assert found['input_size'] == (64, 48)


def spots_file(path, places, factor, size, orientation):
    """A JPEG with a Gaussian spot per colour channel at places that count in
    the pixels of the file, and what OpenCV makes of it."""
    rows, columns = np.mgrid[:size[1], :size[0]]
    spots = [
        np.exp(-((columns - x)**2 + (rows - y)**2) / (2 * (1.5 * factor)**2))
        for x, y in places
    ]
    image = np.rint(255 * np.dstack(spots)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(path, quality=100, subsampling=0, exif=exif)
    return cv2.imread(str(path))


def centroids(image):
    """(3, 2): of the channels red, green and blue."""
    weight = image[..., ::-1].astype(float)
    weight[weight < 8] = 0  # what JPEG adds to other colours
    rows, columns = np.mgrid[:image.shape[0], :image.shape[1]]
    return np.stack([(weight * columns[..., None]).sum((0, 1)),
                     (weight * rows[..., None]).sum((0, 1))],
                    axis=1) / weight.sum((0, 1))[:, None]


@pytest.mark.parametrize('factor', [2, 4, 8])
@pytest.mark.parametrize('flip', [False, True])
@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_joints_stay_on_their_spots(factor, flip, orientation, tmp_path,
                                    monkeypatch):
    """From a reduced image of odd size to the crop, rotated and flipped.

    The spots' places in the whole image are measured in OpenCV's own
    whole image. Both measurements see spots of 1.5 crop pixels or more in 256
    grey levels, to 0.05 pixel each; an error in the size or the centre of the
    reduced pixels would be at least half a pixel of the whole image,
    1 / 16 of the crop's at factor 8, and at factor 2 a quarter.
    """
    used = []

    def load_image(*arguments):
        decoded = original(*arguments)
        used.append(decoded.factor)
        return decoded

    original = crop.load_image
    monkeypatch.setattr(crop, 'load_image', load_image)
    size = (128 * factor + 1, 112 * factor + 1)
    middle = np.array([64, 56]) * factor
    places = middle + factor * np.array([[-21.3, 4.2], [9.7, 17.4],
                                         [12.1, -19.6]])
    path = tmp_path / 'a.jpg'
    whole = spots_file(path, places, factor, size, orientation)
    joints = centroids(whole)
    center = np.array(whole.shape[1::-1]) / 2 - 0.3
    half = 32 * factor + 0.01  # 64 pixels of the crop, padding 1
    for degrees in (0, 17.0, 160.0):
        person = dict(
            img_path=str(path),
            bbox=np.concatenate([center - half,
                                 center + half])[None].astype(np.float32),
            keypoints=joints[None].astype(np.float32),
            keypoints_visible=np.ones((1, 3), np.float32),
            flip_indices=[0, 2, 1],
            bbox_rotation=np.array([degrees]))
        found = compose(
            dict(type='GetBBoxCenterScale', padding=1.0),
            dict(type='RandomHorizontalFlip', prob=float(flip)),
            TopdownCrop((64, 64), reduced_decoding=True))(
                person)
        assert found['ori_shape'] == whole.shape[:2]
        spots = centroids(found['img'])
        expected = found['transformed_keypoints'][0]
        if flip:  # joints 1 and 2 have changed sides, colours have not
            expected = expected[[0, 2, 1]]
        np.testing.assert_allclose(spots, expected, atol=0.06)
    assert used == [factor] * 3


@pytest.mark.parametrize('box, reduced, factor', [
    (256, True, 4), (255, True, 2), (128, True, 2), (127, True, 1),
    (900, True, 8), (900, False, 1)
])
def test_as_large_as_the_crop_at_least(box, reduced, factor, monkeypatch,
                                       tmp_path):
    """A crop of 64 pixels of boxes as large as that even when reduced."""
    path = save(tmp_path / 'a.jpg', np.zeros((40, 40, 3), np.uint8))
    shapes = []
    monkeypatch.setattr(
        crop, '_warp', lambda image, *_: shapes.append(image.shape[:2]))
    TopdownCrop((64, 64), reduced_decoding=reduced)(
        dict(
            img_path=path,
            bbox_center=np.full((1, 2), 20, np.float32),
            bbox_scale=np.full((1, 2), box, np.float32)))
    assert shapes == [(40 // factor, 40 // factor)]


@pytest.mark.parametrize('bbox_scale', [(127, 300), (300, 127)])
def test_narrow_boxes_are_widened_first(bbox_scale, monkeypatch, tmp_path):
    """The crop shows 300 x 300 pixels, whichever side is narrower."""
    path = save(tmp_path / 'a.jpg', np.zeros((40, 40, 3), np.uint8))
    shapes = []
    monkeypatch.setattr(
        crop, '_warp', lambda image, *_: shapes.append(image.shape[:2]))
    TopdownCrop((64, 64), reduced_decoding=True)(
        dict(
            img_path=path,
            bbox_center=np.full((1, 2), 20, np.float32),
            bbox_scale=np.array([bbox_scale], np.float32)))
    assert shapes == [(10, 10)]


@pytest.mark.parametrize('rotation', [0.0, 33.3])
# The last four show nothing but what is outside.
@pytest.mark.parametrize('center', [(60, 40), (3, 4), (118, 77), (145, 40),
                                    (-26, 40), (60, 105), (60, -26)])
def test_only_what_is_needed_of_a_huge_image(rotation, center, monkeypatch):
    """OpenCV warps no image of more than 32,767 pixels a side, so the part
    that is seen is cut out before. The same crop, to OpenCV's rounding of
    places to 1/32 pixel: of noise in 256 grey levels, 8."""
    image = noise(np.random.default_rng(0), (120, 80))
    matrix = get_warp_matrix(
        np.array(center, float), np.array([30.0, 20.0]), rotation, (24, 16))
    expected = crop._warp(image, matrix, (24, 16)).astype(int)
    sizes = []
    cut = crop._cut_needed_part

    def watched(*arguments):
        part, moved = cut(*arguments)
        sizes.append(part.shape[:2])
        return part, moved

    monkeypatch.setattr(crop, '_cut_needed_part', watched)
    monkeypatch.setattr(crop, '_LARGEST', 120)
    np.testing.assert_array_equal(
        crop._warp(image, matrix, (24, 16)), expected)
    assert sizes == []
    monkeypatch.setattr(crop, '_LARGEST', 119)
    found = crop._warp(image, matrix, (24, 16)).astype(int)
    assert np.abs(found - expected).max() <= 8
    (height, width), = sizes
    # The turned box of 30 x 20, two pixels more on each side, and rounding.
    turned = np.abs(
        [[np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))],
         [np.sin(np.deg2rad(rotation)), np.cos(np.deg2rad(rotation))]])
    assert (np.array([width, height]) <= turned @ (30, 20) + 5).all()


@pytest.mark.parametrize('input_size', [(64, ), (64, 0), (64.5, 64)])
def test_impossible_sizes_are_refused(input_size):
    with pytest.raises(ValueError):
        TopdownCrop(input_size)
    assert TopdownCrop((1, 2)).input_size == (1, 2)


def test_several_people_are_refused():
    with pytest.raises(ValueError):
        TopdownCrop((64, 64))(
            dict(bbox_center=np.zeros((2, 2)), bbox_scale=np.ones((2, 2))))


# A box of 40 x 30 pixels: its corners are 25 pixels from its centre.
@pytest.mark.parametrize('center, scale, is_there', [
    ((50, 40), (40, 30), True),
    ((-24.9, 40), (40, 30), True),
    ((-25, 40), (40, 30), False),
    ((124.9, 40), (40, 30), True),
    ((125, 40), (40, 30), False),
    ((50, -24.9), (40, 30), True),
    ((50, -25), (40, 30), False),
    ((50, 104.9), (40, 30), True),
    ((50, 105), (40, 30), False),
    ((50, 40), (0.4, 0.3), True),
    ((50, 40), (0, 30), False),
    ((50, 40), (40, -1), False),
    ((50, 40), (np.nan, 30), False),
    ((50, 40), (40, np.inf), False),
    ((np.nan, 40), (40, 30), False),
])
def test_boxes_that_have_no_part_of_the_image(center, scale, is_there):
    person = dict(
        img_path='a.jpg',
        bbox_center=np.array([center]),
        bbox_scale=np.array([scale]))
    if is_there:
        return crop._check_annotation(person, (100, 80))
    with pytest.raises(UnreadableImageError) as raised:
        crop._check_annotation(person, (100, 80))
    assert raised.value.path == 'a.jpg'


def test_scores_behind_joints_stay():
    person = record(np.random.default_rng(5), (90, 70), img=np.zeros((70, 90)))
    plain = compose(CENTER_SCALE, TopdownCrop((64, 48)))(copied(person))
    scores = np.arange(16, dtype=np.float32)[None, :, None]
    person['keypoints'] = np.concatenate([person['keypoints'], scores], 2)
    found = compose(CENTER_SCALE, TopdownCrop((64, 48)))(person)
    np.testing.assert_array_equal(
        found['transformed_keypoints'],
        np.concatenate([plain['transformed_keypoints'], scores], 2))


def test_remote_images(monkeypatch):
    asked = []

    def load_image(path, max_factor, backend_args):
        asked.append((path, max_factor, backend_args))
        return image_io.DecodedImage(np.zeros((70, 90, 3), np.uint8),
                                      (90, 70))

    monkeypatch.setattr(crop, 'load_image', load_image)
    elsewhere = dict(backend='petrel')
    person = record(np.random.default_rng(6), (90, 70), img_path='s3://a.jpg')
    compose(CENTER_SCALE,
            TopdownCrop((64, 48), backend_args=elsewhere))(person)
    assert asked == [('s3://a.jpg', 1.0, elsewhere)]
