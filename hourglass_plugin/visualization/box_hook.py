"""Pictures of the boxes that a detector predicts."""
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.registry import HOOKS

from .boxes import draw_boxes
from .visualization_hook import PictureHook


@HOOKS.register_module()
class BoxPictureHook(PictureHook):
    """Draws predicted boxes beside the annotated ones, image by image.

    Takes the place of MMDetection's ``DetVisualizationHook``. Unlike that one
    it enlarges small images, so that names can be read, writes exactly into
    ``out_dir``, and adds one sheet of images spread over the whole data set.
    Pictures have the names of the images.

    Args:
        score_thr: boxes with lower scores are not drawn.
        arguments: those of :class:`~.picture_hook.PictureHook`.

    Raises:
        ValueError: if a number is out of range, or windows are asked of an
            OpenCV that has none.
    """

    def __init__(self,
                 enable: bool = False,
                 *,
                 score_thr: float = 0.3,
                 **arguments: Any) -> None:
        super().__init__(enable, **arguments)
        self.score_thr = score_thr
        self.title += f' Boxes with scores of {score_thr} and more.'

    def name(self, sample: Any) -> str:
        """The image's name."""
        return Path(sample.img_path).stem

    def draw(self, photograph: np.ndarray, sample: Any, dataset_meta: dict,
             height: int) -> list[np.ndarray]:
        """The predicted and, if there are any, the annotated boxes."""
        zoom = height / photograph.shape[0]
        picture = cv2.resize(
            photograph, (max(round(photograph.shape[1] * zoom), 1), height),
            interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
        predicted = sample.pred_instances.cpu()
        drawn = [predicted[predicted.scores >= self.score_thr]]
        truth = sample.get('gt_instances')
        if truth is not None and 'bboxes' in truth:
            drawn.append(truth.cpu())
        return [
            draw_boxes(
                picture, zoom * _corners(boxes.bboxes),
                np.asarray(boxes.labels), dataset_meta['classes'],
                dataset_meta.get('palette'),
                np.asarray(boxes.scores) if 'scores' in boxes else None)
            for boxes in drawn
        ]


def _corners(boxes: Any) -> np.ndarray:
    """(N, 4) of a tensor, or of MMDetection's boxes around one."""
    return np.asarray(getattr(boxes, 'tensor', boxes), np.float64)
