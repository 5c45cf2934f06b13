"""Images from files, decoded no larger than needed.

JPEG is made of blocks of 8 x 8 pixels, which libjpeg can decode to 4 x 4,
2 x 2 or 1 x 1 pixels in less time. Pixel c of an image reduced by a factor f
covers the pixels f c ... f c + f - 1 of the whole image; its centre is
(c + 0.5) f - 0.5 there.
"""
import ast
import io
import logging
import re
import struct
from typing import NamedTuple

import cv2
import numpy as np
from mmengine import fileio
from mmengine.logging import print_log
from PIL import Image, JpegImagePlugin

_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4,
            2: cv2.IMREAD_REDUCED_COLOR_2}

# Values of EXIF's orientation with which width and height are exchanged.
_TRANSPOSED = (5, 6, 7, 8)

# Set when the message about 12-bit images has been logged.
_is_told = False

# str() of the error below, at the end of a traceback.
_IN_TRACEBACK = re.compile(
    r"""UnreadableImageError: ('.*?'|".*?"|None) cannot be used: (.*)""")


class UnreadableImageError(OSError):
    """An image that is missing, damaged, or does not fit its annotation.

    A ``DataLoader`` calls the class with the text of the traceback in one of
    its processes; path and reason are then taken from that.

    Attributes:
        path: the image's file; None for an image that is not from a file.
        reason: why it cannot be used, and what to do, in one line.
    """

    def __init__(self, path: str | None, reason: str | None = None) -> None:
        if reason is None:
            found = _IN_TRACEBACK.findall(str(path))
            if found:
                path, reason = ast.literal_eval(found[-1][0]), found[-1][1]
        self.path = path
        self.reason = ' '.join((reason or 'unknown reason').split())
        super().__init__(f'{self.path!r} cannot be used: {self.reason}')

    def __reduce__(self) -> tuple:
        return type(self), (self.path, self.reason)


class DecodedImage(NamedTuple):
    """An image, whole or reduced.

    The position (x, y) in ``pixels`` is ``factor * (x, y) + shift`` in the
    whole image.
    """

    pixels: np.ndarray  #: (h, w, 3) uint8, BGR
    size: tuple[int, int]  #: width and height of the whole image
    factor: int = 1  #: whole pixels per pixel, in both directions
    shift: tuple[float, float] = (0.0, 0.0)  #: x and y in whole pixels


class ImageHeader(NamedTuple):
    """An image's size, and what changes between file and pixels."""

    size: tuple[int, int]  #: width and height, as :func:`load_image` has them
    stored_size: tuple[int, int]  #: before the orientation tag is applied
    has_16_bits: bool


def read_header(path: str) -> ImageHeader:
    """Read an image's size without decoding it.

    Raises:
        UnreadableImageError: as :func:`load_image`.
    """
    try:
        with Image.open(path) as image:
            # PNG would be decoded to look for a tag behind the pixels.
            exif = {} if image.format == 'PNG' and (
                'exif' not in image.info) else image.getexif()
            is_turned = exif.get(0x0112) in _TRANSPOSED
            # OpenCV's decoders of other formats differ between versions.
            if not is_turned or image.format in ('JPEG', 'MPO'):
                size = image.size[::-1] if is_turned else image.size
                return ImageHeader(size, image.size, ';16' in str(image.tile))
            stored = image.size
    except (Image.DecompressionBombError, SyntaxError, OSError, ValueError,
            struct.error):  # Pillow cannot read it; OpenCV may
        stored = None
    size = load_image(path).size
    return ImageHeader(size, stored or size, False)


def load_image(path: str, max_factor: float = 1.0) -> DecodedImage:
    """Read an image; a camera's orientation tag is applied.

    Args:
        path: file, or address, in any format that OpenCV reads.
        max_factor: JPEG is reduced by 8, 4 or 2, the largest that does not
            exceed this. Other formats, which are not decoded any faster, are
            read whole.

    Raises:
        UnreadableImageError: if the file cannot be opened, is not an image or
            is damaged.
    """
    try:
        data = fileio.get(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableImageError(path, reason) from error
    factor = next((f for f in _REDUCED if f <= max_factor), 1)
    if factor > 1 and (image := _decode_reduced(data, factor)) is not None:
        return image
    pixels = decode_image(data)
    if pixels is None:
        raise UnreadableImageError(path, 'not an image, or damaged')
    return DecodedImage(pixels, pixels.shape[1::-1])


def decode_image(data: bytes,
                 flags: int = cv2.IMREAD_COLOR) -> np.ndarray | None:
    """Decode a file's bytes; a camera's orientation tag is applied.

    Grey becomes colour, 16 bits become the upper 8, CMYK becomes BGR, and
    transparent pixels keep their colour. Files of 16 bits that use the lower
    12 or 8 only, as cameras and microscopes write them, are scaled by those,
    which is logged once; otherwise they would be black.

    Returns:
        (H, W, 3) uint8, BGR; None if this is not an image, is damaged, or has
        more than 2^30 pixels.
    """
    if data.startswith(b'\xff\xd8'):  # JPEG
        # The end marker must follow the last start-of-scan marker; an embedded
        # preview has its own pair before that. OpenCV before 4.11 fills the
        # missing rest of a truncated file with grey.
        end = data.rfind(b'\xff\xd9')
        if end < 0 or data.rfind(b'\xff\xda', end) >= 0:
            return None
    buffer = np.frombuffer(data, np.uint8)
    try:
        if flags == cv2.IMREAD_COLOR and not data.startswith(b'\xff\xd8'):
            pixels = cv2.imdecode(buffer, flags | cv2.IMREAD_ANYDEPTH)
            if pixels is None or pixels.dtype == np.uint8:
                return pixels
            if pixels.dtype == np.uint16 and pixels.max() < 1 << 12:
                return _scale_low_bits(pixels)
        return cv2.imdecode(buffer, flags)
    except cv2.error:  # empty, or larger than OpenCV allows
        return None


def _scale_low_bits(pixels: np.ndarray) -> np.ndarray:
    """Return 8 bits of the 12, or 8, that 16-bit pixels use."""
    global _is_told
    bits = 12 if pixels.max() >= 1 << 8 else 8
    if not _is_told:
        _is_told = True
        print_log(
            f'16-bit images with values below {1 << bits} are read as {bits} '
            f'bits: {(1 << bits) - 1} becomes 255', 'current', logging.WARNING)
    return (pixels >> (bits - 8)).astype(np.uint8)


def _decode_reduced(data: bytes, factor: int) -> DecodedImage | None:
    """Decode an upright JPEG; None for all that must be read whole."""
    try:
        # Not Image.open, which refuses images of many pixels.
        header = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        exif = Image.Exif()
        exif.load(header.info.get('exif', b''))
    except (SyntaxError, OSError, ValueError, struct.error):  # Pillow's
        return None
    if exif.get(0x0112, 1) != 1:  # a camera's orientation
        return None
    width, height = header.size
    pixels = decode_image(data, _REDUCED[factor])
    # Rounded up: the last pixel may lie partly outside the image.
    size = (-(-width // factor), -(-height // factor))
    if pixels is None or pixels.shape[1::-1] != size:
        return None
    middle = (factor - 1) / 2
    return DecodedImage(pixels, (width, height), factor, (middle, middle))
