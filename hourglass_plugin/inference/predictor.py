"""Poses of people in images and videos, with a trained model."""
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmpose.apis.inference import init_model
from mmpose.models.pose_estimators.topdown import TopdownPoseEstimator
from tqdm import tqdm

from ..atomic_files import atomic_file
from ..engine.malloc_hook import set_freed_memory
from ..models.consistency import check_can_be_fast, check_predicts_poses
from ..models.weights.loading import load_weights, read_checkpoint
from ..visualization.drawing import draw_pose, skeleton_from_metainfo
from ..visualization.image_files import read_image, save_image
from ..weights import shipped_weights
from .input_files import Video, drawn_image, drawn_video
from .optimize import DTYPES, optimize_model
from .person_search import find_person

#: Pixels; float32 has no fractions of larger ones.
_LARGEST = 1e7


class Pose(NamedTuple):
    """One person's keypoints in an image."""

    bbox: np.ndarray  #: (4,) left, top, right, bottom, in pixels
    keypoints: np.ndarray  #: (K, 2) x and y, in pixels of the image
    scores: np.ndarray  #: (K,) height of each heatmap's maximum

    def to_json(self) -> dict:
        """Return the same as lists of plain numbers."""
        joints = np.column_stack([self.keypoints, self.scores])
        return dict(
            bbox=[round(float(value), 2) for value in self.bbox],
            keypoints=[[round(float(x), 2), round(float(y), 2),
                        round(float(score), 4)] for x, y, score in joints])


def build_pose_model(config: Config, checkpoint: dict, path: str, device: str,
                     fast: str | None = None) -> BaseModel:
    """Build a config's model with a checkpoint's weights, for prediction.

    Args:
        config: of the model, with a ``test_dataloader`` for its pipeline.
        checkpoint: from ``models.weights.loading.read_checkpoint``.
        path: of the checkpoint, for messages.
        device: such as ``cpu`` or ``cuda:0``.
        fast: ``float32``, ``bfloat16`` or ``float16`` rewrites the network
            for speed, see :func:`optimize_model`.

    Raises:
        ValueError: if the device is not there, the checkpoint is of another
            model, the config has no test pipeline or is a detector's, or its
            network cannot be rewritten.
    """
    if config.get('test_dataloader') is None:
        raise ValueError('the config has no `test_dataloader` and pipeline')
    check_predicts_poses(config)
    if fast is not None:
        check_can_be_fast(config)
    try:
        torch.empty(0, device=device).cpu()  # the device meta has no data
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f'device {device!r} cannot be used: '
                         f'{error}') from None
    if torch.device(device).type == 'cpu':
        set_freed_memory('keep')
    model = init_model(config, device=device)
    load_weights(model, checkpoint, path)
    dataset_meta = checkpoint.get('meta', {}).get('dataset_meta')
    model.dataset_meta = dataset_meta or model.dataset_meta
    return model if fast is None else optimize_model(model, DTYPES[fast])


def predict_poses(model: BaseModel, images: Sequence[np.ndarray],
                  boxes: Sequence[np.ndarray],
                  names: Sequence[str] | None = None) -> list[list[Pose]]:
    """Predict poses in several images at once.

    As ``mmpose.apis.inference_topdown``, which takes one image.

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
    people = [
        pipeline(
            dict(
                img=image,
                img_path=name,
                bbox=np.array([box], np.float32),
                bbox_score=np.ones(1, np.float32),
                **model.dataset_meta))
        for image, name, inside in zip(
            images, names or itertools.repeat(None), boxes) for box in inside
    ]
    with torch.no_grad():
        samples = model.test_step(pseudo_collate(people)) if people else []
    found = (sample.pred_instances for sample in samples)
    poses = (
        Pose(
            np.asarray(each.bboxes[0]), np.asarray(each.keypoints[0]),
            np.asarray(each.keypoint_scores[0])) for each in found)
    return [list(itertools.islice(poses, len(inside))) for inside in boxes]


def whole_image(image: np.ndarray) -> np.ndarray:
    """Return the box (1, 4) of a person who fills an image."""
    height, width = image.shape[:2]
    return np.array([[0, 0, width, height]], np.float32)


def find_people(model: BaseModel,
                images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Find one person in each image, without the flip test.

    See :mod:`hourglass_plugin.inference.person_search`.

    Args:
        model: from :func:`build_pose_model`.
        images: (H, W, 3) uint8, BGR, of any sizes.

    Returns:
        For each image (1, 4) left, top, right, bottom, in pixels.
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


class PosePredictor:
    """Predicts poses in images, and draws them into files.

    Args:
        model: from :func:`build_pose_model`.
        boxes: (N, 4) left, top, right, bottom of N people in pixels, in every
            image; by default one person is searched in each, if the model
            predicts from crops.
        score_threshold: keypoints with lower scores are not drawn.
        batch_size: images that go through the network at once.
        is_whole_image: every image is a crop of one person.

    Raises:
        ValueError: if a box is empty or too large.

    Example:
        >>> predictor = PosePredictor.from_pretrained()
        >>> people = predictor('photo.jpg')
        >>> people[0].keypoints  # (14, 2), pixels
    """

    def __init__(self,
                 model: BaseModel,
                 boxes: Sequence[Sequence[float]] | None = None,
                 score_threshold: float = 0.2,
                 batch_size: int = 16,
                 is_whole_image: bool = False) -> None:
        self.boxes = _checked_boxes(boxes)
        self.model = model
        self.score_threshold = score_threshold
        self.batch_size = batch_size
        # Other models than top-down ones find people themselves.
        self.is_whole_image = is_whole_image or not isinstance(
            model, TopdownPoseEstimator)
        self.skeleton = skeleton_from_metainfo(model.dataset_meta)

    @classmethod
    def from_pretrained(cls,
                        config: str | Config | None = None,
                        checkpoint: str | None = None,
                        device: str | None = None,
                        fast: str | None = None,
                        **arguments: Any) -> 'PosePredictor':
        """Build a predictor from files, by default the package's weights.

        Args:
            config: file or config.
            checkpoint: of this config.
            device: such as ``cpu``; by default a GPU if there is one.
            fast: see :func:`build_pose_model`.
            arguments: of the class.

        Raises:
            FileNotFoundError: if a file is missing.
            ValueError: as :func:`build_pose_model`, or if one of config and
                checkpoint is missing.
        """
        if (config is None) != (checkpoint is None):
            raise ValueError('give a config and its checkpoint, or neither')
        if config is None or checkpoint is None:
            config, checkpoint = shipped_weights()
        if not isinstance(config, Config):
            config = Config.fromfile(config)
        model = build_pose_model(config, read_checkpoint(checkpoint),
                                 checkpoint, device or get_device(), fast)
        return cls(model, **arguments)

    def __call__(
            self,
            image: str | Path | np.ndarray,
            boxes: Sequence[Sequence[float]] | None = None) -> list[Pose]:
        """Predict the poses in one image.

        Args:
            image: file, or (H, W, 3) uint8, BGR.
            boxes: (N, 4) left, top, right, bottom in pixels; by default the
                predictor's.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not an image, or a box is not in it.
        """
        name = 'the image'
        if not isinstance(image, np.ndarray):
            name, image = str(image), read_image(image)
        given = _checked_boxes(boxes)
        self.check_boxes(name, image.shape[1], image.shape[0], given)
        people = self._boxes_in([image]) if given is None else [given]
        return predict_poses(self.model, [image], people, [name])[0]

    def predict_images(self, files: Sequence[Path],
                       out: Path) -> tuple[list[dict], list[str]]:
        """Draw the poses of images into a folder, under their names.

        Returns:
            A record for JSON of each image that was read, and a message for
            each other one.
        """
        records: list[dict] = []
        failures: list[str] = []

        def read() -> Iterator[tuple[str, np.ndarray]]:
            for file in tqdm(files, unit='image', disable=None):
                try:
                    image = read_image(file)
                    self.check_boxes(file, *image.shape[1::-1])
                except (ValueError, OSError) as error:
                    failures.append(str(error))
                else:
                    yield file.name, image

        for record, drawing in self._predict(read()):
            save_image(drawn_image(Path(record['file']), out), drawing)
            records.append(record)
        return records, failures

    def predict_video(self, video: Video, out: Path) -> list[dict]:
        """Draw the poses of a video into a folder, as MP4 without sound.

        Returns:
            A record for JSON of each frame.

        Raises:
            OSError: if this OpenCV cannot write it.
        """
        target = drawn_video(video.path, out)
        records: list[dict] = []
        frames = tqdm(
            video, total=video.length or None, unit='frame', disable=None)
        with atomic_file(target) as partial:
            writer = cv2.VideoWriter(
                str(partial), cv2.VideoWriter.fourcc(*'mp4v'), video.rate,
                video.size)
            try:
                if not writer.isOpened():
                    raise OSError(f'this OpenCV cannot write {target}')
                named = ((video.path.name, frame) for frame in frames)
                for record, drawing in self._predict(named):
                    writer.write(drawing)
                    records.append(dict(frame=len(records), **record))
            finally:
                writer.release()
        return records

    def check_boxes(self, path: str | Path, width: int, height: int,
                    boxes: np.ndarray | None = None) -> None:
        """Raise ValueError if a box, by default ours, is outside an image."""
        boxes = self.boxes if boxes is None else boxes
        for left, top, right, bottom in [] if boxes is None else boxes:
            if right <= 0 or bottom <= 0 or left >= width or top >= height:
                raise ValueError(
                    f'{path}: the box {left:g} {top:g} {right:g} {bottom:g} '
                    f'lies outside of the image, {width} x {height} pixels')

    def _boxes_in(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        if self.boxes is not None:
            return [self.boxes] * len(images)
        if self.is_whole_image:
            return [whole_image(image) for image in images]
        return find_people(self.model, images)

    def _predict(
        self, named_images: Iterable[tuple[str, np.ndarray]]
    ) -> Iterator[tuple[dict, np.ndarray]]:
        """Yield a record for JSON and a drawing of each image."""
        iterator = iter(named_images)
        while batch := list(itertools.islice(iterator, self.batch_size)):
            names, images = zip(*batch)
            boxes = self._boxes_in(images)
            predicted = predict_poses(self.model, images, boxes, names)
            for name, image, poses in zip(names, images, predicted):
                drawing = draw_pose(
                    image, np.stack([pose.keypoints for pose in poses]),
                    np.stack([pose.scores for pose in poses]), self.skeleton,
                    self.score_threshold)
                yield dict(
                    file=name,
                    width=image.shape[1],
                    height=image.shape[0],
                    people=[pose.to_json() for pose in poses]), drawing


def _checked_boxes(
        boxes: Sequence[Sequence[float]] | None) -> np.ndarray | None:
    """Return boxes as (N, 4) float32, or raise ValueError for an empty one."""
    if boxes is None:
        return None
    with np.errstate(over='ignore'):  # infinity is refused
        array = np.array(boxes, np.float32).reshape(-1, 4)
    for left, top, right, bottom in array:
        # Written so that NaN is refused.
        if not (-_LARGEST < left < right < _LARGEST
                and -_LARGEST < top < bottom < _LARGEST):
            raise ValueError(
                f'the box {left:g} {top:g} {right:g} {bottom:g} is empty or '
                'too large: write left, top, right, bottom, in pixels')
    return array
