"""Input of the predictor: images, folders of images and videos."""
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from ..atomic_files import check_outputs

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpg', '.webm')


class Video:
    """A video or a camera, read frame by frame.

    Args:
        path: file in a format that OpenCV reads, or a camera's number.

    Attributes:
        path: of the file; of a camera ``camera0`` and so on.
        is_live: whether it is a camera.
        size: width and height in pixels.
        rate: frames per second.
        length: number of frames by the file's header; 0 if unknown.

    Raises:
        ValueError: if the file is not a video or is damaged, or its path is
            not UTF-8.
    """

    def __init__(self, path: str | int) -> None:
        self.is_live = isinstance(path, int)
        self.path = Path(f'camera{path}' if isinstance(path, int) else path)
        _check_utf8(str(path))
        self._capture = cv2.VideoCapture(path)
        has_frame, self._first = self._capture.read()
        if not has_frame:
            raise ValueError(f'there is no camera {path}' if self.is_live else
                             f'{path} is not a video, or is damaged')
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


#: A file, folder, video, camera's number, array, or several images.
Source = str | Path | int | np.ndarray | Video | Iterable


def images_in(folder: Path) -> list[Path]:
    """Return the images in a folder, in order of their names.

    Raises:
        ValueError: if there are none.
    """
    images = sorted(
        file for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
    if not images:
        folders = sorted(x.name for x in folder.iterdir() if x.is_dir())
        raise ValueError(f'{folder} has no images {IMAGE_SUFFIXES}' + (
            f' itself: give one of its folders {", ".join(folders[:5])}'
            if folders else ''))
    return images


def is_one_image(source: Source) -> bool:
    """Return whether this is one image: an array, or a file but no video."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        return (not path.is_dir()
                and path.suffix.lower() not in VIDEO_SUFFIXES)
    return isinstance(source, np.ndarray) and source.ndim < 4


def open_video(source: Source) -> Source:
    """Open a source that is a video or a camera; return any other as it is.

    Raises:
        FileNotFoundError: if there is no such video.
        ValueError: if it cannot be read.
    """
    if isinstance(source, int):
        return Video(source)
    if not isinstance(source, (str, Path)) or is_one_image(source) or (
            Path(source).is_dir()):
        return source
    if not Path(source).is_file():
        raise FileNotFoundError(f'there is no video {source}')
    return Video(str(source))


def named_images(
        source: Source) -> Iterator[tuple[str, str | Path | np.ndarray]]:
    """Yield a name, and a file or pixels, of each image of a source.

    Args:
        source: anything but a video that is not open.

    Raises:
        ValueError: if a folder has no images.
    """
    images: Iterable = [source]
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        images = images_in(Path(source))
    elif not is_one_image(source) and isinstance(source, Iterable):
        images = source
    for index, image in enumerate(images):
        if isinstance(source, Video):
            name = source.path.name
        elif isinstance(image, np.ndarray):
            name = f'image {index}'
        else:
            name = str(image)
        yield name, image


def open_input(path: str | int, out: Path) -> list[Path] | Video:
    """Find the images to predict, in order of their names, or open the video.

    Args:
        path: image, folder of images, video or a camera's number.
        out: folder of the results.

    Raises:
        FileNotFoundError: if there is nothing of this name.
        ValueError: if a folder has no images, a video cannot be read, its
            path or that of its results is not UTF-8, or the results would
            overwrite the input or cannot be written.
    """
    source = Path(str(path))
    folder = source if source.is_dir() else source.parent
    if folder.resolve() == out.resolve() and not isinstance(path, int):
        raise ValueError(f'{out} has the input, which results would overwrite')
    check_outputs({'--out': out / 'predictions.json'})
    video = open_video(path)
    if isinstance(video, Video):
        _check_utf8(str(out))
        check_outputs({'--out': drawn_video(video.path, out)}, [source])
        return video
    images = images_in(source) if source.is_dir() else [source]
    for image in images:
        if not image.is_file():
            raise FileNotFoundError(f'there is no image or folder {image}')
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
