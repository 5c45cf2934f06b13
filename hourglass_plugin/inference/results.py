"""Predicted poses as JSON, COCO's format, CSV and supervision's keypoints."""
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..atomic_files import atomic_file


class Pose(NamedTuple):
    """One person's keypoints in an image."""

    bbox: np.ndarray  #: (4,) left, top, right, bottom, in pixels
    keypoints: np.ndarray  #: (K, 2) x and y, in pixels of the image
    scores: np.ndarray  #: (K,) height of each heatmap's maximum
    track: int | None = None  #: in videos, the person's number, from 1

    def to_json(self) -> dict:
        """Return the same as lists of plain numbers."""
        joints = np.column_stack([self.keypoints, self.scores])
        number = {} if self.track is None else dict(track=self.track)
        return dict(
            number,
            bbox=[round(float(value), 2) for value in self.bbox],
            keypoints=[[round(float(x), 2), round(float(y), 2),
                        round(float(score), 4)] for x, y, score in joints])


class Prediction(NamedTuple):
    """The people in one image of a folder, a list or a video."""

    file: str  #: name of the image or video
    image: np.ndarray  #: (H, W, 3) uint8, BGR
    people: list[Pose]
    frame: int | None = None  #: of a video, from 0

    def to_json(self) -> dict:
        """Return the same as plain numbers, without the image."""
        height, width = self.image.shape[:2]
        number = {} if self.frame is None else dict(frame=self.frame)
        return dict(
            number,
            file=Path(self.file).name,
            width=width,
            height=height,
            people=[pose.to_json() for pose in self.people])


def to_coco(predictions: Iterable[Prediction], keypoint_names: Sequence[str],
            links: Sequence[tuple[int, int]] = ()) -> dict:
    """Return predictions as a dataset in COCO's format.

    Labelling tools and :class:`.CustomKeypointDataset` read it. Every v is 2;
    ``keypoint_scores`` has each keypoint's score, ``score`` their mean.

    Args:
        predictions: from ``PosePredictor.stream``.
        keypoint_names: K names.
        links: pairs of keypoints, counted from 0, that are drawn as lines.
    """
    images: list[dict] = []
    annotations: list[dict] = []
    for each in predictions:
        height, width = each.image.shape[:2]
        image = dict(id=len(images) + 1, file_name=each.file, width=width,
                     height=height)
        images.append(image if each.frame is None else dict(
            image, frame=each.frame))
        for pose in each.people:
            left, top, right, bottom = (float(x) for x in pose.bbox)
            marked = np.column_stack(
                [pose.keypoints, np.full(len(pose.scores), 2)])
            annotations.append(dict(
                id=len(annotations) + 1, image_id=len(images), category_id=1,
                bbox=[left, top, right - left, bottom - top],
                area=(right - left) * (bottom - top), iscrowd=0,
                num_keypoints=len(pose.scores),
                keypoints=marked.round(2).ravel().tolist(),
                keypoint_scores=pose.scores.astype(float).round(4).tolist(),
                score=float(pose.scores.mean())))
    category = dict(
        id=1, name='person', keypoints=list(keypoint_names),
        skeleton=[[start + 1, end + 1] for start, end in links])
    return dict(
        images=images, annotations=annotations, categories=[category])


def write_csv(path: str | Path, predictions: Iterable[Prediction],
              keypoint_names: Sequence[str]) -> None:
    """Write a line for each person: file, frame, box and keypoints.

    The person's number is that of the track in videos, else the position in
    the image, from 0. A keypoint's columns are NAME_x, NAME_y, NAME_score.
    """
    with atomic_file(path) as partial, partial.open(
            'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow([
            'file', 'frame', 'person', 'left', 'top', 'right', 'bottom', *(
                f'{name}_{part}' for name in keypoint_names
                for part in ('x', 'y', 'score'))])
        for each in predictions:
            frame = '' if each.frame is None else each.frame
            for index, pose in enumerate(each.people):
                row = pose.to_json()
                person = index if pose.track is None else pose.track
                writer.writerow([
                    each.file, frame, person, *row['bbox'],
                    *np.ravel(row['keypoints']).tolist()])


def to_supervision(people: Sequence[Pose]) -> Any:
    """Return people as ``supervision.KeyPoints``, from version 0.29 on.

    Raises:
        ImportError: if the package supervision is not installed.
    """
    import supervision
    if not people:
        return supervision.KeyPoints.empty()
    scores = np.stack([pose.scores for pose in people]).astype(np.float32)
    return supervision.KeyPoints(
        xy=np.stack([pose.keypoints for pose in people]).astype(np.float32),
        class_id=np.zeros(len(people), int), keypoint_confidence=scores)
