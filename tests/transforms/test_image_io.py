"""Reduced images: every pixel at its place in the whole image."""
import pickle

import cv2
import numpy as np
import pytest
from PIL import Image
from torch._utils import ExceptionWrapper

from hourglass_plugin.transforms.image_io import (
    UnreadableImageError,
    decode_image,
    load_image,
    read_header,
)


@pytest.fixture
def image():
    """Grey noise (203, 237); no side is a multiple of 2, 4 or 8."""
    return np.random.default_rng(0).integers(0, 255, (203, 237), np.uint8)


def write_jpeg(path, image):
    Image.fromarray(image).save(path, 'jpeg', quality=100, subsampling=0)
    return str(path)


@pytest.mark.parametrize('max_factor, factor',
                         [(0.3, 1), (1, 1), (1.99, 1), (2, 2), (3.99, 2),
                          (4, 4), (7.99, 4), (8, 8), (50, 8)])
def test_the_largest_factor_that_is_allowed(max_factor, factor, image,
                                            tmp_path):
    """Its first pixel covers the pixels 0 to factor - 1."""
    path = write_jpeg(tmp_path / 'a.jpg', image)
    decoded = load_image(path, max_factor)
    assert decoded.factor == factor
    assert decoded.shift == ((factor - 1) / 2, (factor - 1) / 2)
    assert decoded.pixels.shape == (-(-203 // factor), -(-237 // factor), 3)


@pytest.mark.parametrize('suffix, options', [
    ('png', {}), ('bmp', {}), ('webp', {}),
    ('jpg', dict(exif=b'Exif\0\0garbage')),
    ('jpg', dict(exif=b'Exif\0\0II*\0'))])
def test_other_formats_and_unreadable_exif_are_read_whole(
        suffix, options, image, tmp_path):
    path = str(tmp_path / f'a.{suffix}')
    Image.fromarray(image).save(path, **options)
    decoded = load_image(path, 8)
    assert (decoded.factor, decoded.shift) == (1, (0, 0))
    np.testing.assert_array_equal(decoded.pixels, cv2.imread(path))


@pytest.mark.parametrize('content', [
    None, b'', b'nothing', b'GIF89a', b'\xff\xd8\xff\xe0\0'])
@pytest.mark.parametrize('read', [
    load_image, lambda path: load_image(path, 8), read_header])
def test_unreadable_files_are_named(content, read, tmp_path):
    path = tmp_path / 'broken.jpg'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableImageError) as raised:
        read(str(path))
    assert raised.value.path == str(path)


def test_errors_survive_pickling_and_loader_processes():
    """torch calls the class with the text of the traceback."""
    error = UnreadableImageError("a 'quoted'\n.jpg", 'damaged\nhere')
    try:
        raise error from UnreadableImageError('b.jpg', 'missing')
    except UnreadableImageError:
        wrapped = ExceptionWrapper(where='in a loader')
    with pytest.raises(UnreadableImageError) as raised:
        wrapped.reraise()
    for same in (error, raised.value, pickle.loads(pickle.dumps(error))):
        assert same.path == "a 'quoted'\n.jpg"
        assert same.reason == 'damaged here'
        assert same.errno is same.filename is None


def test_cut_off_jpeg_is_not_left_to_opencv(image, tmp_path, monkeypatch):
    """Before 4.11 OpenCV makes grey of what is missing at the end."""
    path = write_jpeg(tmp_path / 'a.jpg', image)
    with open(path, 'rb') as file:
        whole = file.read()
    monkeypatch.setattr(cv2, 'imdecode', lambda data, flags: np.zeros(
        (203, 237, 3), np.uint8))
    with_preview = whole[:2] + whole + whole[2:]
    # Other formats, and JPEG with more after its end, are OpenCV's business.
    for data in (whole, b'\x89PNG' + whole[4:100], whole + b'more',
                 with_preview):
        assert decode_image(data) is not None
    for data in (whole[:-2], whole[:len(whole) // 2], with_preview[:-2]):
        assert decode_image(data) is None


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
@pytest.mark.parametrize('largest, shift', [
    (200, 0), (3200, 4), (4095, 4), (4096, 8), (65535, 8)])
def test_low_bits_of_16(suffix, largest, shift, tmp_path):
    """Cameras write 12 bits into files of 16; they are not black."""
    values = np.linspace(0, largest, 24 * 3).astype(np.uint16)
    for index, pixels in enumerate([
            values.reshape(6, 12), values.reshape(6, 4, 3)]):
        path = str(tmp_path / f'{index}{suffix}')
        cv2.imwrite(path, pixels)
        assert read_header(path).has_16_bits or index == 1
        expected = np.broadcast_to(
            pixels.reshape(*pixels.shape[:2], -1) >> shift,
            (*pixels.shape[:2], 3))
        # OpenCV rounds the 16 bits of TIFF.
        np.testing.assert_allclose(load_image(path).pixels, expected,
                                   atol=int(shift == 8 and suffix == '.tif'))


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp', '.bmp'])
@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_header_has_the_size_of_the_pixels(suffix, orientation, image,
                                           tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = str(tmp_path / f'a{suffix}')
    Image.fromarray(image).save(path, exif=exif)
    header = read_header(path)
    assert header.size == load_image(path).size
    if suffix != '.tif':  # Pillow has the turned size
        assert header.stored_size == (237, 203)
