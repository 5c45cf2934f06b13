"""Photographs from files, decoded no larger than they are needed.

JPEG is made of blocks of 8 x 8 pixels, which libjpeg can decode to 4 x 4,
2 x 2 or 1 x 1 pixels in less time. The pixel c of a photograph reduced by a
factor f covers the pixels f c ... f c + f - 1 of the whole one; its centre is
(c + 0.5) f - 0.5 there.
"""
import io
import struct
from typing import NamedTuple, Optional

import cv2
import numpy as np
from mmengine import fileio
from PIL import Image, JpegImagePlugin

_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2
}

_ORIENTATION_TAG = 0x0112
# What EXIF's orientation does to the pixels as they are in the file.
_TRANSPOSED = (5, 6, 7, 8)
_FIRST_PIXEL_AT_RIGHT = (2, 3, 6, 7)
_FIRST_PIXEL_AT_BOTTOM = (3, 4, 7, 8)


class DecodedImage(NamedTuple):
    """A photograph, whole or reduced.

    The place (x, y) in ``pixels`` is ``factor * (x, y) + shift`` in the whole
    photograph.
    """

    pixels: np.ndarray  #: (h, w, 3) uint8, BGR
    size: tuple[int, int]  #: width and height of the whole photograph
    factor: int = 1  #: whole pixels per pixel, in both directions
    shift: tuple[float, float] = (0.0, 0.0)  #: x and y in whole pixels


def load_image(path: str,
                    max_factor: float = 1.0,
                    backend_args: Optional[dict] = None) -> DecodedImage:
    """Read a photograph; a camera's orientation tag is applied.

    Args:
        path: file in any format that OpenCV reads.
        max_factor: JPEG is reduced by 8, 4 or 2, the largest that does not
            exceed this. Other formats, which are not decoded any faster, are
            read whole.
        backend_args: of ``mmengine.fileio``, for files that are elsewhere.

    Raises:
        OSError: if the file cannot be opened; ``FileNotFoundError`` if there
            is none.
        ValueError: if it is not an image or is damaged.
    """
    try:
        data = fileio.get(path, backend_args=backend_args)
    except OSError as error:
        raise type(error)(unusable(error, path)) from error
    factor = next((f for f in _REDUCED if f <= max_factor), 1)
    if factor > 1:
        photograph = _decode_reduced(data, factor)
        if photograph is not None:
            return photograph
    pixels = decode_image(data)
    if pixels is None:
        raise ValueError(unusable('not an image, or damaged', path))
    height, width = pixels.shape[:2]
    return DecodedImage(pixels, (width, height))


def unusable(reason: object, path: Optional[str]) -> str:
    """The message about an image that cannot be used.

    As MMPose's ``LoadImage`` writes it. The tools recognise it, and so do data
    sets that leave such images out.
    """
    return f'`{reason}` occurs when loading `{path}`.'


def decode_image(data: bytes) -> Optional[np.ndarray]:
    """An image from a file's bytes; a camera's orientation tag is applied.

    Grey becomes colour, 16 bits become the upper 8, CMYK becomes BGR, and
    what is transparent has its colour.

    Returns:
        (H, W, 3) uint8, BGR; None if this is no image, a damaged one, or one
        of more than 2^30 pixels.
    """
    return None if _is_cut_off(data) else _decode(data, cv2.IMREAD_COLOR)


def _is_cut_off(data: bytes) -> bool:
    """Whether this is JPEG that ends before its end.

    OpenCV before 4.11 makes the rest grey.
    """
    if not data.startswith(b'\xff\xd8'):
        return False
    # Nothing else holds the marker of an end after the one of pixels; a
    # preview image, which has its own, stands before.
    end = data.rfind(b'\xff\xd9')
    return end < 0 or data.rfind(b'\xff\xda', end) >= 0


def _decode(data: bytes, flags: int) -> Optional[np.ndarray]:
    """(H, W, 3) uint8, or None if this is no image."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # empty, or larger than OpenCV allows
        return None


def _decode_reduced(data: bytes, factor: int) -> Optional[DecodedImage]:
    """None for what must be read whole: anything but an ordinary JPEG."""
    header = None if _is_cut_off(data) else _jpeg_header(data)
    if header is None:
        return None
    (width, height), orientation = header
    if orientation in _TRANSPOSED:
        width, height = height, width
    pixels = _decode(data, _REDUCED[factor])
    # Rounded up: the last pixel may lie partly outside the photograph.
    size = (-(-width // factor), -(-height // factor))
    if pixels is None or pixels.shape[1::-1] != size:
        return None
    # Blocks are counted from the file's first pixel. Where that is at the
    # right, it is the first column that lies partly outside.
    x = y = (factor - 1) / 2
    if orientation in _FIRST_PIXEL_AT_RIGHT:
        x += width - factor * size[0]
    if orientation in _FIRST_PIXEL_AT_BOTTOM:
        y += height - factor * size[1]
    return DecodedImage(pixels, (width, height), factor, (x, y))


def _jpeg_header(data: bytes) -> Optional[tuple[tuple[int, int], int]]:
    """Width and height as they are in the file, and EXIF's orientation."""
    try:
        # Not Image.open, which refuses photographs of many pixels.
        header = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        orientation = 1
        if 'exif' in header.info:
            exif = Image.Exif()
            exif.load(header.info['exif'])
            orientation = exif.get(_ORIENTATION_TAG, 1)
    except (SyntaxError, OSError, ValueError, struct.error):  # Pillow's
        return None
    return header.size, orientation
