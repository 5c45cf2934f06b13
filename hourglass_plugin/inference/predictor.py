"""Poses of people in photographs and videos, with a trained model."""
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmpose.apis.inference import init_model
from mmpose.models.pose_estimators.topdown import TopdownPoseEstimator
from tqdm import tqdm

from ..atomic_files import atomic_file, check_outputs
from ..engine.fast_inference_hook import DTYPES
from ..engine.malloc_hook import set_freed_memory
from ..models.consistency import check_can_be_fast, check_predicts_poses
from ..models.weights.loading import load_weights
from ..visualization.drawing import draw_pose, skeleton_from_metainfo
from ..visualization.image_files import read_image, save_image
from .optimize import optimize_model
from .person_search import find_person

IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')
#: Pixels; boxes are float32, which knows no parts of larger ones.
_LARGEST = 1e7
VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpg', '.webm')


class Pose(NamedTuple):
    """One person's joints in an image."""

    bbox: np.ndarray  #: (4,) left, top, right, bottom, in pixels
    keypoints: np.ndarray  #: (K, 2) x and y, in pixels of the image
    scores: np.ndarray  #: (K,) height of each heatmap's maximum

    def to_json(self) -> dict:
        """The same as lists of plain numbers."""
        joints = np.column_stack([self.keypoints, self.scores])
        return dict(
            bbox=[round(float(value), 2) for value in self.bbox],
            keypoints=[[round(float(x), 2), round(float(y), 2),
                        round(float(score), 4)] for x, y, score in joints])


def build_pose_model(config: Config, checkpoint: dict, path: str,
                     device: str,
                     fast: Optional[str] = None) -> BaseModel:
    """Build a config's model with a checkpoint's weights, for prediction.

    Args:
        config: of the model, with a ``test_dataloader``, whose pipeline the
            images go through.
        checkpoint: weights, as read by
            :func:`hourglass_plugin.models.weights.loading.read_checkpoint`.
        path: where the checkpoint came from, for messages.
        device: such as ``cpu`` or ``cuda:0``.
        fast: ``float32``, ``bfloat16`` or ``float16`` rewrites the network
            for speed, see :func:`optimize_model`.

    Raises:
        ValueError: if the device is not there, the checkpoint is of another
            model, the config has no test pipeline or is a detector's, or its
            network cannot be rewritten.
    """
    if config.get('test_dataloader') is None:
        raise ValueError('the config has no `test_dataloader`, whose pipeline '
                         'images go through')
    check_predicts_poses(config)
    if fast is not None:
        check_can_be_fast(config)
    try:
        torch.empty(0, device=device).cpu()  # the device meta has no data
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f'device {device!r} cannot be used: {error}') from None
    if torch.device(device).type == 'cpu':
        set_freed_memory('keep')
    model = init_model(config, device=device)
    load_weights(model, checkpoint, path)
    dataset_meta = checkpoint.get('meta', {}).get('dataset_meta')
    model.dataset_meta = dataset_meta or model.dataset_meta
    return model if fast is None else optimize_model(model, DTYPES[fast])


def predict_poses(model: BaseModel, images: Sequence[np.ndarray],
                  boxes: Sequence[np.ndarray],
                  names: Optional[Sequence[str]] = None) -> list[list[Pose]]:
    """Predict poses in several images at once.

    What ``mmpose.apis.inference_topdown`` does for one image, for a batch.

    Args:
        model: from :func:`build_pose_model`.
        images: (H, W, 3) uint8, BGR, of any sizes.
        boxes: for each image (N, 4) left, top, right, bottom of N people, in
            pixels.
        names: of the images, for messages.

    Returns:
        For each image the poses, in the order of its boxes.
    """
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    people = []
    image_of_person = []
    for index, image in enumerate(images):
        for box in boxes[index]:
            person = dict(
                img=image,
                img_path=None if names is None else names[index],
                bbox=np.array([box], np.float32),
                bbox_score=np.ones(1, np.float32),
                **model.dataset_meta)
            people.append(pipeline(person))
            image_of_person.append(index)
    with torch.no_grad():
        samples = model.test_step(pseudo_collate(people))
    poses: list[list[Pose]] = [[] for _ in images]
    for index, sample in zip(image_of_person, samples):
        predicted = sample.pred_instances
        poses[index].append(
            Pose(
                bbox=np.asarray(predicted.bboxes[0]),
                keypoints=np.asarray(predicted.keypoints[0]),
                scores=np.asarray(predicted.keypoint_scores[0])))
    return poses


def whole_image(image: np.ndarray) -> np.ndarray:
    """The box (1, 4) of one person who is all of an image."""
    height, width = image.shape[:2]
    return np.array([[0, 0, width, height]], np.float32)


def find_people(model: BaseModel,
                images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Find one person in each of several images.

    See :mod:`hourglass_plugin.inference.person_search`. The network runs once
    per window, without the flipped image.

    Args:
        model: from :func:`build_pose_model`.
        images: (H, W, 3) uint8, BGR, of any sizes.

    Returns:
        One array of shape (1, 4) per image, with left, top, right and bottom
        in pixels.
    """

    def predict(image: np.ndarray,
                boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        poses, = predict_poses(model, [image], [boxes])
        return (np.stack([pose.keypoints for pose in poses]),
                np.stack([pose.scores for pose in poses]))

    side = max(model.head.decoder.input_size)
    accurate = model.test_cfg
    model.test_cfg = dict(
        accurate or {}, flip_test=False, eval_all_stacks=False)
    try:
        return [find_person(image, predict, side)[None] for image in images]
    finally:
        model.test_cfg = accurate


def open_input(path: str, out: Path) -> Union[list[Path], 'Video']:
    """Find the images to predict, or open the video.

    Args:
        path: image, folder of images or video.
        out: where the results will go.

    Returns:
        The images of a folder in order of their names, or the one image, or
        the video.

    Raises:
        FileNotFoundError: if there is nothing of this name.
        ValueError: if a folder has no images, a video cannot be read, its
            path or that of its results is not UTF-8, or the results would
            overwrite the input or cannot be written.
    """
    source = Path(path)
    folder = source if source.is_dir() else source.parent
    if folder.resolve() == out.resolve():
        raise ValueError(f'{out} is the folder of the input, which the '
                         'results would overwrite: choose another one')
    check_outputs({'--out': out / 'predictions.json'})
    if source.is_dir():
        images = sorted(
            file for file in source.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
        if not images:
            raise ValueError(f'{path} has no images '
                             f'({", ".join(IMAGE_SUFFIXES)})')
        for image in images:
            check_outputs({'--out': _drawn_image(image, out)}, [image])
        return images
    if not source.is_file():
        raise FileNotFoundError(f'there is no image, folder or video {path}')
    if source.suffix.lower() in VIDEO_SUFFIXES:
        check_outputs({'--out': _drawn_video(source, out)}, [source])
        check_utf8(str(out))
        return Video(path)
    check_outputs({'--out': _drawn_image(source, out)}, [source])
    return [source]


def _drawn_image(source: Path, out: Path) -> Path:
    """Under its own name, with a suffix that can be written."""
    is_common = source.suffix.lower() in IMAGE_SUFFIXES
    return out / (source.name if is_common else f'{source.name}.png')


def _drawn_video(source: Path, out: Path) -> Path:
    return out / f'{source.stem}.mp4'


class PosePredictor:
    """Predicts and draws poses in photographs and videos, file to file.

    Args:
        model: from :func:`build_pose_model`.
        boxes: (N, 4) left, top, right, bottom of N people in pixels, in every
            image; by default one person is looked for in each, if the model
            predicts from crops.
        score_threshold: joints with lower scores are not drawn.
        batch_size: images that go through the network at once.
        is_whole_image: every image is a crop of one person.

    Raises:
        ValueError: if a box is empty or too large.
    """

    def __init__(self,
                 model: BaseModel,
                 boxes: Optional[Sequence[Sequence[float]]] = None,
                 score_threshold: float = 0.2,
                 batch_size: int = 16,
                 is_whole_image: bool = False) -> None:
        with np.errstate(over='ignore'):  # infinity is refused
            self.boxes = None if boxes is None else np.array(boxes, np.float32)
        for box in [] if self.boxes is None else self.boxes:
            left, top, right, bottom = box
            # Written so that NaN is refused; beyond there are no parts of
            # pixels.
            if not (-_LARGEST < left < right < _LARGEST
                    and -_LARGEST < top < bottom < _LARGEST):
                raise ValueError(
                    f'--bbox {left:g} {top:g} {right:g} {bottom:g} is empty '
                    'or too large: write left, top, right, bottom, in pixels')
        self.model = model
        self.score_threshold = score_threshold
        self.batch_size = batch_size
        # Other models than top-down ones look for people themselves.
        self.is_whole_image = is_whole_image or not isinstance(
            model, TopdownPoseEstimator)
        self.skeleton = skeleton_from_metainfo(model.dataset_meta)

    def predict_images(self, files: Sequence[Path],
                       out: Path) -> tuple[list[dict], list[str]]:
        """Write a drawn picture of each image, under the image's own name.

        Args:
            files: the images.
            out: folder for the pictures.

        Returns:
            A record for JSON of each image that was read, and a message for
            each one that could not be.
        """
        records, failures = [], []
        for batch in _batches(
                tqdm(files, unit='image', disable=None), self.batch_size):
            names, images = [], []
            for file in batch:
                try:
                    image = read_image(file)
                    self.check_boxes(file, *image.shape[1::-1])
                except (ValueError, OSError) as error:
                    failures.append(str(error))
                    continue
                names.append(file.name)
                images.append(image)
            for name, image, poses in self._predict(names, images):
                save_image(
                    _drawn_image(Path(name), out), self._draw(image, poses))
                records.append(self._record(name, image.shape, poses))
        return records, failures

    def predict_video(self, video: 'Video', out: Path) -> list[dict]:
        """Write a drawn copy of a video, as MP4 without sound.

        Args:
            video: the video; it is read to its end.
            out: folder for the copy.

        Returns:
            A record for JSON of each frame.

        Raises:
            OSError: if this OpenCV cannot write the copy.
        """
        target = _drawn_video(video.path, out)
        records: list[dict] = []
        frames_left = tqdm(
            video, total=video.length or None, unit='frame', disable=None)
        with atomic_file(target) as partial:
            writer = cv2.VideoWriter(
                str(partial), cv2.VideoWriter.fourcc(*'mp4v'), video.rate,
                video.size)
            try:
                if not writer.isOpened():
                    raise OSError(f'this OpenCV cannot write {target}')
                for frames in _batches(frames_left, self.batch_size):
                    names = [video.path.name] * len(frames)
                    for name, frame, poses in self._predict(names, frames):
                        writer.write(self._draw(frame, poses))
                        records.append(
                            dict(
                                frame=len(records),
                                **self._record(name, frame.shape, poses)))
            finally:
                writer.release()
        return records

    def _predict(
        self, names: Sequence[str], images: Sequence[np.ndarray]
    ) -> Iterator[tuple[str, np.ndarray, list[Pose]]]:
        if images:
            yield from zip(
                names, images,
                predict_poses(self.model, images, self._boxes_in(images),
                              names))

    def _boxes_in(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        if self.boxes is not None:
            return [self.boxes] * len(images)
        if self.is_whole_image:
            return [whole_image(image) for image in images]
        return find_people(self.model, images)

    def _draw(self, image: np.ndarray, poses: Sequence[Pose]) -> np.ndarray:
        return draw_pose(image, np.stack([pose.keypoints for pose in poses]),
                         np.stack([pose.scores for pose in poses]),
                         self.skeleton, self.score_threshold)

    def _record(self, name: str, shape: tuple[int, ...],
                poses: Sequence[Pose]) -> dict:
        return dict(
            file=name,
            width=shape[1],
            height=shape[0],
            people=[pose.to_json() for pose in poses])

    def check_boxes(self, path: Union[str, Path], width: int,
                    height: int) -> None:
        """Raise ValueError if a box has no part of the image."""
        for box in [] if self.boxes is None else self.boxes:
            left, top, right, bottom = box
            if right <= 0 or bottom <= 0 or left >= width or top >= height:
                raise ValueError(
                    f'{path}: the box {left:g} {top:g} {right:g} {bottom:g} '
                    f'lies outside of the image, {width} x {height} pixels')


class Video:
    """A video, read frame by frame.

    Args:
        path: file in a format that OpenCV reads.

    Attributes:
        path: the file.
        size: width and height in pixels.
        rate: frames per second.
        length: number of frames, as the file says; 0 if it does not.

    Raises:
        ValueError: if the file is not a video or is damaged, or its path is
            not UTF-8.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        check_utf8(path)
        self._capture = cv2.VideoCapture(path)
        has_frame, self._first = self._capture.read()
        if not has_frame:
            raise ValueError(f'{path} is not a video, or is damaged')
        height, width = self._first.shape[:2]
        self.size = (width, height)
        self.rate = self._capture.get(cv2.CAP_PROP_FPS) or 25.0
        self.length = max(int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames, (H, W, 3) uint8, BGR."""
        has_frame, frame = True, self._first
        while has_frame:
            yield frame
            has_frame, frame = self._capture.read()
        self._capture.release()


def check_utf8(path: str) -> None:
    """Refuse a video's path at which OpenCV would end the process.

    Raises:
        ValueError: if it is not UTF-8.
    """
    try:
        path.encode('utf-8')
    except UnicodeEncodeError:
        raise ValueError(f'{path!r} is not UTF-8, which OpenCV needs for '
                         'videos: rename the file or folder') from None


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of ``size`` items; the last one may be shorter."""
    iterator = iter(items)
    while True:
        batch = list(itertools.islice(iterator, size))
        if not batch:
            return
        yield batch
