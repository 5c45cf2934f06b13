"""Read and write image files."""
from pathlib import Path

import cv2
import numpy as np

from ..atomic_files import atomic_file

# JPEG otherwise halves the resolution of colours, which blurs thin lines.
_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


def read_image(path: str | Path) -> np.ndarray:
    """Read an image, (H, W, 3) uint8, BGR; its orientation tag is applied.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not an image or is damaged.
    """
    from ..transforms.image_io import decode_image  # needs MMPose
    if not Path(path).is_file():
        raise FileNotFoundError(f'there is no image {path}')
    image = decode_image(Path(path).read_bytes())
    if image is None:
        raise ValueError(f'{path} is not an image, or is damaged')
    return image


def save_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image in the format of the file's suffix.

    The file appears when it is complete. Its folder is made.

    Args:
        path: file to write.
        image: (H, W, 3) uint8, BGR.

    Raises:
        ValueError: if OpenCV writes no such format.
        OSError: if the file cannot be written.
    """
    path = Path(path)
    # OpenCV ends the process at a name that is not UTF-8.
    if not path.suffix.isascii() or not cv2.haveImageWriter(
            f'image{path.suffix}'):
        raise ValueError(f'{path} cannot be written: no image format has the '
                         f'suffix {path.suffix!r}; use .jpg or .png')
    is_jpeg = path.suffix.lower() in ('.jpg', '.jpeg')
    _, data = cv2.imencode(path.suffix, image, _JPEG if is_jpeg else [])
    with atomic_file(path) as partial:
        data.tofile(partial)


def show_image(image: np.ndarray, wait: int = 1) -> bool:
    """Show an image in a window; return False if Q or Esc was pressed.

    Args:
        image: (H, W, 3) uint8, BGR.
        wait: milliseconds; 0 until a key is pressed.
    """
    cv2.imshow('hourglass', image)
    return cv2.waitKey(wait) & 0xff not in (ord('q'), 27)


def check_windows() -> None:
    """Raise ValueError if this OpenCV or this screen has no windows."""
    try:
        cv2.namedWindow('hourglass')
    except cv2.error:
        raise ValueError('there is no screen, or this OpenCV has no windows; '
                         'pip install opencv-python has') from None
