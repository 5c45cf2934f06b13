"""Poses of people in images and videos, with a trained model."""
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmpose.models.pose_estimators.topdown import TopdownPoseEstimator

from ..models.weights.loading import read_checkpoint
from ..models.wrapper import changed_test_cfg
from ..visualization.drawing import (
    draw_number,
    draw_pose,
    skeleton_from_metainfo,
)
from ..visualization.image_files import read_image, save_image
from ..weights import shipped_weights
from .engines import CALIBRATION_SIZE, accelerate, check_precision
from .input_files import Source, Video, is_one_image, named_images, open_video
from .pose_model import (
    build_pose_model,
    load_judge,
    predict_poses,
    run_model,
    search_people,
    whole_image,
)
from .results import Pose, Prediction
from .tracking import Tracker, box_around

#: Pixels; float32 has no fractions of larger ones.
_LARGEST = 1e7
#: Frames of a video from one detection to the next; between them each person
#: is where the keypoints of the last frame are.
_DETECTION_INTERVAL = 10
#: Mean score below which a person of the last frame is lost.
_LOST_SCORE = 0.15
#: From an image (H, W, 3) uint8, BGR, to the boxes (N, 4) of the people in it:
#: left, top, right, bottom in pixels.
Detector = Callable[[np.ndarray], np.ndarray]


class PosePredictor:
    """Predicts poses in images and videos.

    Args:
        config: file or config; without it the weights of the package.
        checkpoint: of this config.
        device: such as ``cpu``; by default a GPU if there is one.
        engine: ``float32``, ``int8`` or ``bfloat16`` runs the backbone in
            OpenVINO, see :func:`.engines.accelerate`; int8 measures its ranges
            on the first batch of images.
        boxes: (N, 4) left, top, right, bottom of N people in pixels, in every
            image; without them the detector finds them.
        detector: from an image (H, W, 3) uint8, BGR, to boxes (N, 4), such as
            :func:`.person_detector.mmdet_detector`. By default the weights of
            the package find everybody themselves, others one person or object,
            see :mod:`.person_search`.
        score_threshold: keypoints with lower scores are not drawn.
        batch_size: images that go through the network at once.
        is_whole_image: every image is a crop of one person; by default as the
            config's ``whole_image`` says.

    Attributes:
        keypoint_names: K names.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: as :func:`build_pose_model` and
            :func:`.engines.accelerate`, or if one of config and checkpoint is
            missing, or a box is empty or too large.

    Example:
        >>> predictor = PosePredictor()
        >>> people = predictor('photo.jpg')
        >>> people[0].keypoints  # (16, 2), pixels
    """

    def __init__(self,
                 config: str | Path | Config | None = None,
                 checkpoint: str | Path | None = None,
                 device: str | None = None,
                 engine: str | None = None,
                 *,
                 boxes: Sequence[Sequence[float]] | None = None,
                 detector: Detector | None = None,
                 score_threshold: float = 0.2,
                 batch_size: int = 16,
                 is_whole_image: bool = False) -> None:
        self.boxes = _checked_boxes(boxes)
        if (config is None) != (checkpoint is None):
            raise ValueError('give a config and its checkpoint, or neither '
                             'for the weights of the package')
        if config is None or checkpoint is None:
            config, checkpoint = shipped_weights()
        settings = config if isinstance(config, Config) else (
            Config.fromfile(config))
        device = device or get_device()
        if engine is not None:
            check_precision(engine, device)
        weights = read_checkpoint(str(checkpoint))
        self.model = build_pose_model(settings, weights, str(checkpoint),
                                      device)
        self._needs_calibration = engine == 'int8'
        if engine is not None and not self._needs_calibration:
            self.model.backbone = accelerate(self.model.backbone, engine)
        self.score_threshold = score_threshold
        self.batch_size = batch_size
        judge = load_judge(weights)
        self._finds_everybody = detector is not None or judge is not None
        self._find = detector or functools.partial(
            search_people, self.model, judge)
        # Other models than top-down ones find people themselves.
        if (is_whole_image or settings.get('whole_image', False)
                or not isinstance(self.model, TopdownPoseEstimator)):
            self._find, self._finds_everybody = whole_image, False
        self.skeleton = skeleton_from_metainfo(self.model.dataset_meta)
        self.keypoint_names = list(self.skeleton.joints)

    def __call__(self, source: Source,
                 boxes: Sequence | None = None) -> list:
        """Predict the poses in an image, or in several.

        Args:
            source: image file, or (H, W, 3) uint8, BGR; or a list of these, a
                folder of images or a video.
            boxes: (N, 4) left, top, right, bottom in pixels, in every image;
                or such an array for each image; by default the predictor's.

        Returns:
            The :class:`Pose` of each person in an image; a list of these
            lists for several images.

        Raises:
            FileNotFoundError, ValueError: as :meth:`stream`.
        """
        found = [each.people for each in self.stream(source, boxes)]
        return found[0] if is_one_image(source) else found

    def stream(self,
               source: Source,
               boxes: Sequence | None = None,
               failures: list[str] | None = None) -> Iterator[Prediction]:
        """Predict image after image, without keeping them in memory.

        Args:
            source: as in a call, in the order of names; also a camera's number
                or an iterator of files or arrays.
            boxes: as in a call.
            failures: gets a message for each image that cannot be used;
                without it they raise an error.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is not an image, or a box is not in it.
        """
        inside = _boxes_by_image(boxes, self.boxes)
        source = open_video(source)
        is_video = isinstance(source, Video)
        if isinstance(source, Video) and boxes is None and (
                self.boxes is None and self._finds_everybody):
            yield from self._follow(source)
            return
        # A camera's image is shown before the next one is taken.
        is_live = isinstance(source, Video) and source.is_live
        size = 1 if is_live else self.batch_size
        prepared = self._prepare(named_images(source), inside, failures)
        batches = iter(lambda: list(itertools.islice(prepared, size)), [])
        number = itertools.count()
        for batch in batches if is_live else _read_ahead(batches):
            names, images, given = map(list, zip(*batch))
            given = self._fill(images, given)
            predicted = predict_poses(self.model, images, given, names)
            for name, image, people, frame in zip(
                    names, images, predicted, number):
                yield Prediction(name, image, people,
                                 frame if is_video else None)

    def draw(self, image: str | Path | np.ndarray, people: Sequence[Pose],
             file: str | Path | None = None) -> np.ndarray:
        """Draw people over an image.

        Args:
            image: file, or (H, W, 3) uint8, BGR; it is not changed.
            people: found in it.
            file: to write, in any format that OpenCV writes.

        Returns:
            (H, W, 3) uint8, BGR.
        """
        drawing = (image if isinstance(image, np.ndarray) else
                   read_image(image)).copy()
        for pose in people:
            drawing = draw_pose(drawing, pose.keypoints, pose.scores,
                                self.skeleton, self.score_threshold)
        for pose in people:
            if pose.track is not None:
                draw_number(drawing, pose.bbox, pose.track)
        if file is not None:
            save_image(Path(file), drawing)
        return drawing

    def heatmaps(self, image: str | Path | np.ndarray,
                 boxes: Sequence[Sequence[float]] | None = None) -> np.ndarray:
        """Return the heatmaps of each person in an image.

        Arguments are those of a call.

        Returns:
            Heatmaps (N, K, h, w), float32, of the crops that the network
            sees, the boxes with the padding of the config's pipeline. A peak
            is about 1 high.
        """
        (name, pixels, inside), = self._prepare(
            named_images(image), _boxes_by_image(boxes, self.boxes))
        inside, = self._fill([pixels], [inside])
        with changed_test_cfg(self.model, output_heatmaps=True):
            samples = run_model(self.model, [pixels], [inside], [name])
        width, height = self.model.head.decoder.heatmap_size
        heatmaps = [sample.pred_fields.heatmaps.cpu().numpy()
                    for sample in samples]
        return np.array(heatmaps, np.float32).reshape(
            -1, len(self.keypoint_names), height, width)

    def check_boxes(self, path: str | Path, width: int, height: int,
                    boxes: np.ndarray | None = None) -> None:
        """Raise ValueError if a box, by default ours, is outside an image."""
        boxes = self.boxes if boxes is None else boxes
        for left, top, right, bottom in [] if boxes is None else boxes:
            if right <= 0 or bottom <= 0 or left >= width or top >= height:
                raise ValueError(
                    f'{path}: the box {left:g} {top:g} {right:g} {bottom:g} '
                    f'lies outside of the image, {width} x {height} pixels')

    def _prepare(
        self, images: Iterable[tuple[str, str | Path | np.ndarray]],
        boxes: Iterator[np.ndarray | None],
        failures: list[str] | None = None
    ) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
        """Yield name, pixels and checked boxes of each usable image."""
        for name, image in images:
            try:
                inside = next(boxes)
            except StopIteration:
                raise ValueError(f'{name} has no list of boxes: give one for '
                                 'each image, or boxes for all') from None
            try:
                if not isinstance(image, np.ndarray):
                    image = read_image(image)
                if image.dtype != np.uint8 or image.shape[2:] != (3, ):
                    raise ValueError(f'{name} is {image.dtype} of shape '
                                     f'{image.shape}, not uint8 (H, W, 3)')
                height, width = image.shape[:2]
                self.check_boxes(name, width, height, inside)
            except (ValueError, OSError) as error:
                if failures is None:
                    raise
                failures.append(str(error))
            else:
                yield name, image, inside

    def _follow(self, video: Video) -> Iterator[Prediction]:
        """Predict frame after frame; people keep their numbers."""
        tracker = Tracker()
        people: list[Pose] = []
        for frame, image in enumerate(video):
            if frame % _DETECTION_INTERVAL == 0 or not people:
                boxes, = self._fill([image], [None])
            else:
                boxes = np.stack([box_around(pose.keypoints, pose.scores)
                                  for pose in people])
            found, = predict_poses(self.model, [image], [boxes],
                                   [str(video.path)])
            kept = [pose for pose in found
                    if pose.scores.mean() >= _LOST_SCORE]
            numbers = tracker.update([pose.bbox for pose in kept])
            people = [pose._replace(track=number)
                      for pose, number in zip(kept, numbers)]
            yield Prediction(str(video.path.name), image, people, frame)

    def _fill(self, images: Sequence[np.ndarray],
              boxes: Sequence[np.ndarray | None]) -> list[np.ndarray]:
        """Return boxes (N, 4) for all images, also those without."""
        if self._needs_calibration:
            self._needs_calibration = False
            crops: list[torch.Tensor] = []
            with self.model.backbone.register_forward_pre_hook(
                    lambda _, inputs: crops.extend(inputs[0])):
                predict_poses(self.model, images, self._fill(images, boxes))
            if crops:
                self.model.backbone = accelerate(
                    self.model.backbone, 'int8',
                    calibration=crops[-CALIBRATION_SIZE:])
            self._needs_calibration = not crops  # images without people
        return [
            np.asarray(self._find(image), np.float32).reshape(-1, 4)
            if box is None else box for image, box in zip(images, boxes)]


def _read_ahead(batches: Iterator[list]) -> Iterator[list]:
    """Yield batches; a thread reads the next one in the meantime."""
    with ThreadPoolExecutor(1) as reader:
        upcoming = reader.submit(next, batches, None)
        while (batch := upcoming.result()) is not None:
            upcoming = reader.submit(next, batches, None)
            yield batch


def _boxes_by_image(
        boxes: Sequence | None,
        default: np.ndarray | None) -> Iterator[np.ndarray | None]:
    """Yield the boxes (N, 4) of each image."""
    if boxes is None or all(np.shape(box) in ((), (4, )) for box in boxes):
        same = default if boxes is None else _checked_boxes(boxes)
        return itertools.repeat(same)
    return iter([_checked_boxes(each) for each in boxes])


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
