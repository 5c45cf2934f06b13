"""Drawn images and videos of a predictor's poses."""
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..atomic_files import atomic_file
from ..visualization.image_files import show_image
from .input_files import Video, drawn_image, drawn_video
from .predictor import PosePredictor
from .results import Prediction
from .video_file import VideoFile


def predict_images(predictor: PosePredictor, files: Sequence[Path], out: Path,
                   show: bool = False, boxes: Sequence | None = None
                   ) -> tuple[list[Prediction], list[str]]:
    """Draw the poses of images into a folder, under their names.

    ``show`` shows each in a window, too, until a key; Q ends it.

    Returns:
        The predictions, without pixels, and a message for each image that
        could not be read.
    """
    failures: list[str] = []
    found = []
    for each in tqdm(predictor.stream(list(files), boxes, failures),
                     total=len(files), unit='image', disable=None):
        drawing = predictor.draw(each.image, each.people,
                                 drawn_image(Path(each.file), out))
        found.append(_without_pixels(each))
        if show and not show_image(drawing, wait=0):
            break
    return found, failures


def predict_video(predictor: PosePredictor, video: Video, out: Path,
                  show: bool = False) -> list[Prediction]:
    """Draw the poses of a video into a folder, as MP4 without sound.

    Ctrl+C ends a camera; ``show`` shows the frames in a window, too, until Q.

    Returns:
        The predictions, without pixels.

    Raises:
        OSError: if it cannot be written.
    """
    target = drawn_video(video.path, out)
    found = []
    with atomic_file(target) as partial, VideoFile(
            partial, video.rate, video.size) as writer:
        try:
            for each in tqdm(predictor.stream(video), unit='frame',
                             total=video.length or None, disable=None):
                drawing = predictor.draw(each.image, each.people)
                writer.write(drawing)
                found.append(_without_pixels(each))
                if show and not show_image(drawing):
                    break
        except KeyboardInterrupt:
            if not video.is_live:
                raise
    return found


def _without_pixels(prediction: Prediction) -> Prediction:
    """Keep the image's shape alone: a view of one number."""
    shape = prediction.image.shape
    return prediction._replace(
        image=np.broadcast_to(np.zeros(1, np.uint8), shape))
