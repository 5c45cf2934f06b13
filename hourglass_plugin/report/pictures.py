"""Images of a report: people and heatmaps."""
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from torch.utils.data import Dataset

from ..models.wrapper import changed_test_cfg, without_wrapper
from ..skeletons import Skeleton
from ..visualization.drawing import draw_heatmaps, draw_pose
from ..visualization.image_files import read_image
from ..visualization.sheet import draw_cropped_poses

PERSON_HEIGHT = 208
CROP_HEIGHT = 256
STACK_HEIGHT = 192
#: A lower maximum shows no joint, and is not brightened further.
_LOWEST_PEAK = 0.1


class Heatmaps(NamedTuple):
    """A model's heatmaps of one person."""

    crop: np.ndarray  #: (H, W, 3) uint8, BGR, the network's input
    center: np.ndarray  #: (2,) of the crop, in pixels of the image
    scale: np.ndarray  #: (2,) width and height of the crop in the image
    stacks: list[np.ndarray]  #: (K, h, w) float32 of each stack


def predict_heatmaps(model: BaseModel, dataset: Dataset,
                     index: int) -> Heatmaps | None:
    """Run a model again for one person's heatmaps.

    Args:
        model: an MMPose top-down estimator in evaluation mode, or its wrapper
            for several processes; its settings are restored.
        dataset: with a pipeline that ends in ``PackPoseInputs``.
        index: of the person in it.

    Returns None if the model predicts no heatmaps.
    """
    model = without_wrapper(model)
    batch = pseudo_collate([dataset[index]])
    crop = np.moveaxis(np.asarray(batch['inputs'][0]), 0, -1)  # (H, W, 3)
    with changed_test_cfg(model, output_heatmaps=True), torch.no_grad():
        sample, = model.test_step(batch)
    fields = sample.get('pred_fields')
    if fields is None or 'heatmaps' not in fields:
        return None
    # Other heads return the last ones only.
    names = fields.keys()
    count = sum(name.startswith('heatmaps_stack_') for name in names)
    names = [f'heatmaps_stack_{n + 1}' for n in range(count)] or ['heatmaps']
    return Heatmaps(
        np.ascontiguousarray(crop).astype(np.uint8),
        np.asarray(sample.input_center), np.asarray(sample.input_scale),
        [np.asarray(fields.get(name).float().cpu()) for name in names])


def enlarged(image: np.ndarray, height: int) -> np.ndarray:
    """Resize an image (H, W, 3) to a height."""
    width = max(round(image.shape[1] * height / image.shape[0]), 1)
    grows = height > image.shape[0]
    return cv2.resize(
        image, (width, height),
        interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)


def draw_person(record: dict[str, Any], skeleton: Skeleton) -> np.ndarray:
    """Draw prediction beside ground truth, (H, W, 3) uint8, BGR.

    Args:
        record: ``path`` of the image, ``center`` and ``scale`` (2,) of the
            crop, ``predicted`` and ``truth`` (K, 2), ``annotated`` (K,).
        skeleton: joints, limbs and colours.
    """
    return draw_cropped_poses(
        read_image(record['path']), record['center'], record['scale'],
        PERSON_HEIGHT, skeleton, [(record['predicted'], None, 0),
                                  (record['truth'], record['annotated'], 0.5)])


def draw_crop(heatmaps: Heatmaps, keypoints: np.ndarray,
              skeleton: Skeleton) -> np.ndarray:
    """Draw the predicted (K, 2) keypoints over the network's input."""
    crop = enlarged(heatmaps.crop, CROP_HEIGHT)
    zoom = np.array(crop.shape[1::-1]) / heatmaps.scale
    corner = heatmaps.center - heatmaps.scale / 2
    return draw_pose(crop, (keypoints - corner) * zoom, None, skeleton)


def draw_stacks(heatmaps: Heatmaps) -> list[np.ndarray]:
    """Draw each stack's heatmaps over the crop, (H, W, 3) uint8, BGR.

    A joint has one colour, as bright as its heatmap is high relative to its
    maximum over all stacks.
    """
    stacks = np.stack(heatmaps.stacks)  # (S, K, h, w)
    highest = stacks.max(axis=(0, 2, 3))[:, None, None]
    crop = enlarged(heatmaps.crop, STACK_HEIGHT)
    return [draw_heatmaps(crop, maps)
            for maps in stacks / np.maximum(highest, _LOWEST_PEAK)]
