"""Input of the predictor: images, folders of images and videos."""
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..atomic_files import check_outputs

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpg', '.webm')


class Video:
    """A video, read frame by frame.

    Args:
        path: file in a format that OpenCV reads.

    Attributes:
        size: width and height in pixels.
        rate: frames per second.
        length: number of frames by the file's header; 0 if unknown.

    Raises:
        ValueError: if the file is not a video or is damaged, or its path is
            not UTF-8.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        _check_utf8(path)
        self._capture = cv2.VideoCapture(path)
        has_frame, self._first = self._capture.read()
        if not has_frame:
            raise ValueError(f'{path} is not a video, or is damaged')
        self.size = self._first.shape[1::-1]
        self.rate = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        self.length = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield frames, (H, W, 3) uint8, BGR."""
        has_frame, frame = True, self._first
        while has_frame:
            yield frame
            has_frame, frame = self._capture.read()
        self._capture.release()


def open_input(path: str, out: Path) -> list[Path] | Video:
    """Find the images to predict, or open the video.

    Args:
        path: image, folder of images or video.
        out: folder of the results.

    Returns:
        The images in order of their names, or the video.

    Raises:
        FileNotFoundError: if there is nothing of this name.
        ValueError: if a folder has no images, a video cannot be read, its
            path or that of its results is not UTF-8, or the results would
            overwrite the input or cannot be written.
    """
    source = Path(path)
    folder = source if source.is_dir() else source.parent
    if folder.resolve() == out.resolve():
        raise ValueError(f'{out} has the input, which results would overwrite')
    check_outputs({'--out': out / 'predictions.json'})
    if source.suffix.lower() in VIDEO_SUFFIXES and source.is_file():
        check_outputs({'--out': drawn_video(source, out)}, [source])
        _check_utf8(str(out))
        return Video(path)
    images = [source]
    if source.is_dir():
        images = sorted(
            file for file in source.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
        if not images:
            raise ValueError(f'{path} has no images {IMAGE_SUFFIXES}')
    elif not source.is_file():
        raise FileNotFoundError(f'there is no image, folder or video {path}')
    for image in images:
        check_outputs({'--out': drawn_image(image, out)}, [image])
    return images


def drawn_image(source: Path, out: Path) -> Path:
    """Return an image's own name in a folder, with a suffix to write."""
    is_common = source.suffix.lower() in IMAGE_SUFFIXES
    return out / (source.name if is_common else f'{source.name}.png')


def drawn_video(source: Path, out: Path) -> Path:
    """Return a video's name in a folder."""
    return out / f'{source.stem}.mp4'


def _check_utf8(path: str) -> None:
    """Raise ValueError for a path at which OpenCV would end the process."""
    try:
        path.encode('utf-8')
    except UnicodeEncodeError:
        raise ValueError(f'{path!r} is not UTF-8, which OpenCV needs for '
                         'videos: rename the file or folder') from None
