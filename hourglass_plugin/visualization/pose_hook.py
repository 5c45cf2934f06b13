"""Pictures of the poses that a model predicts."""
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample

from .drawing import skeleton_from_metainfo
from .sheet import draw_cropped_poses
from .visualization_hook import PictureHook


@HOOKS.register_module()
class HourglassVisualizationHook(PictureHook):
    """Draws predictions beside the ground truth, person by person.

    Takes the place of MMPose's ``PoseVisualizationHook`` and has its
    arguments. Unlike that one it draws lines that suit the size of the
    person, cuts the person out of large photographs, writes exactly into
    ``out_dir``, and adds one sheet of people spread over the whole data set.
    Pictures are named ``<image>_<id>.jpg``.

    Args:
        kpt_thr: joints with lower scores are not drawn. Default 0: all of
            them are, as all of them count in the evaluation.
        arguments: those of :class:`PictureHook`.

    Raises:
        ValueError: if a number is out of range, or windows are asked of an
            OpenCV that has none.
    """

    samples_are = 'people'
    title = (
        'Left: prediction. Right: ground truth. Orange: the right side of '
        'the person, blue: the left side.')

    def __init__(self,
                 enable: bool = False,
                 *,
                 kpt_thr: float = 0.0,
                 **arguments: Any) -> None:
        super().__init__(enable, **arguments)
        self.kpt_thr = kpt_thr

    def name(self, sample: PoseDataSample) -> str:
        """The image's name and the person's id."""
        return f'{Path(sample.img_path).stem}_{sample.id}'

    def draw(self, photograph: np.ndarray, sample: PoseDataSample,
             dataset_meta: dict, height: int) -> list[np.ndarray]:
        """The predicted and, if there is one, the annotated pose.

        The pictures show what the network was shown.
        """
        skeleton = skeleton_from_metainfo(dataset_meta)
        predicted = sample.pred_instances
        poses = [(predicted.keypoints, predicted.keypoint_scores,
                  self.kpt_thr)]
        truth = sample.get('gt_instances')
        if truth is not None and 'keypoints' in truth:
            visible = np.asarray(truth.keypoints_visible)
            if visible.ndim == 3:  # KeypointConverter puts weights beside it
                visible = visible[..., 0]
            poses.append((truth.keypoints, visible, 0.5))
        return draw_cropped_poses(photograph, sample.input_center,
                                  sample.input_scale, height, skeleton, poses)
