"""People and heatmaps of a report: pictures in, pictures out."""
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel, is_model_wrapper
from torch.utils.data import Dataset

from ..skeletons import Skeleton
from ..visualization.drawing import draw_heatmaps, draw_pose
from ..visualization.image_files import read_image
from ..visualization.sheet import draw_cropped_poses

PERSON_HEIGHT = 208
CROP_HEIGHT = 256
STACK_HEIGHT = 192
JOINT_HEIGHT = 128
#: A map that is nowhere higher shows no joint, and is not brightened further.
_LOWEST_PEAK = 0.1
#: Those of the paper's figure; others where a skeleton lacks them.
_FIGURE_JOINTS = ('neck', 'upper_neck', 'left_elbow', 'left_wrist',
                  'right_knee', 'right_ankle')
_NUM_FIGURE_JOINTS = 5


class Heatmaps(NamedTuple):
    """What a model says of one person.

    Attributes:
        crop: (H, W, 3) uint8, BGR, what the network was shown.
        center: (2,) of the crop, in pixels of the photograph.
        scale: (2,) width and height of the crop in the photograph.
        stacks: (K, h, w) float32 of each stack, or the only ones.
    """

    crop: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    stacks: list[np.ndarray]


def predict_heatmaps(model: BaseModel, dataset: Dataset,
                     index: int) -> Optional[Heatmaps]:
    """Run a model once more for one person's heatmaps.

    Args:
        model: an MMPose top-down estimator, or its wrapper for several
            processes; it is left as it was.
        dataset: whose pipeline ends in ``PackPoseInputs``.
        index: position in it.

    Returns:
        None if the model predicts none.
    """
    if is_model_wrapper(model):
        model = model.get_submodule('module')
    batch = pseudo_collate([dataset[index]])
    crop = np.moveaxis(np.asarray(batch['inputs'][0]), 0, -1)  # (H, W, 3)
    settings, was_training = model.test_cfg, model.training
    model.test_cfg = {**(settings or {}), 'output_heatmaps': True}
    model.eval()
    try:
        with torch.no_grad():
            sample, = model.test_step(batch)
    finally:
        model.test_cfg = settings
        model.train(was_training)
    fields = sample.get('pred_fields')
    if fields is None or 'heatmaps' not in fields:
        return None
    # Other heads than ours have the last ones only.
    names = sorted(
        filter(re.compile(r'heatmaps_stack_\d+').fullmatch, fields.keys()),
        key=lambda name: int(name.rpartition('_')[2])) or ['heatmaps']
    return Heatmaps(
        np.ascontiguousarray(crop).astype(np.uint8),
        np.asarray(sample.input_center), np.asarray(sample.input_scale),
        [np.asarray(fields.get(name).float().cpu()) for name in names])


def figure_joints(joints: Sequence[str]) -> list[int]:
    """Whose heatmaps are shown alone: the paper's five, or as many others."""
    chosen = [
        joints.index(name) for name in _FIGURE_JOINTS if name in joints
    ][:_NUM_FIGURE_JOINTS]
    if len(chosen) < min(_NUM_FIGURE_JOINTS, len(joints)):
        places = np.linspace(0, len(joints) - 1,
                             min(_NUM_FIGURE_JOINTS, len(joints)))
        chosen = np.rint(places).astype(int).tolist()
    return chosen


def enlarged(image: np.ndarray, height: int) -> np.ndarray:
    """An image (H, W, 3) in another height."""
    width = max(round(image.shape[1] * height / image.shape[0]), 1)
    grows = height > image.shape[0]
    return cv2.resize(
        image, (width, height),
        interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)


def draw_person(record: dict[str, Any], skeleton: Skeleton) -> np.ndarray:
    """Prediction beside truth over a person's photograph.

    Args:
        record: ``path`` of the photograph, ``center`` and ``scale`` (2,) of
            the crop, ``predicted`` and ``truth`` (K, 2), ``annotated`` (K,).
        skeleton: joints, limbs and colours.

    Returns:
        (H, W, 3) uint8, BGR.
    """
    pictures = draw_cropped_poses(
        read_image(record['path']), record['center'], record['scale'],
        PERSON_HEIGHT, skeleton,
        [(record['predicted'], None, 0),
         (record['truth'], record['annotated'], 0.5)])
    gap = np.full((PERSON_HEIGHT, 2, 3), 255, np.uint8)
    return np.hstack([pictures[0], gap, pictures[1]])


def draw_crop(heatmaps: Heatmaps, keypoints: np.ndarray,
              skeleton: Skeleton) -> np.ndarray:
    """The predicted (K, 2) skeleton over what the network was shown."""
    crop = enlarged(heatmaps.crop, CROP_HEIGHT)
    zoom = np.array(crop.shape[1::-1]) / heatmaps.scale
    corner = heatmaps.center - heatmaps.scale / 2
    return draw_pose(crop, (keypoints - corner) * zoom, None, skeleton)


def draw_stacks(heatmaps: Heatmaps, joints: Sequence[int]
                ) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Each stack's heatmaps over the crop.

    A joint has one colour everywhere, as bright as its heatmap is high beside
    the highest place that any stack gives it.

    Args:
        heatmaps: of a person.
        joints: which are drawn alone as well.

    Returns:
        For each stack all joints in one picture, and a picture for each of
        ``joints``; (H, W, 3) uint8, BGR.
    """
    stacks = np.stack(heatmaps.stacks)  # (S, K, h, w)
    highest = stacks.max(axis=(0, 2, 3))[:, None, None]
    large, small = (
        enlarged(heatmaps.crop, height)
        for height in (STACK_HEIGHT, JOINT_HEIGHT))
    drawn = []
    for maps in stacks / np.maximum(highest, _LOWEST_PEAK):
        alone = []
        for joint in joints:
            only = np.zeros_like(maps)
            only[joint] = maps[joint]
            alone.append(draw_heatmaps(small, only))
        drawn.append((draw_heatmaps(large, maps), alone))
    return drawn
