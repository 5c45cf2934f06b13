"""Sheets of training samples: augmented crops, joints, target heatmaps."""
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from hourglass_plugin.skeletons import Skeleton
from hourglass_plugin.visualization.drawing import (
    draw_heatmaps,
    draw_pose,
    skeleton_from_metainfo,
)
from hourglass_plugin.visualization.image_files import save_image
from hourglass_plugin.visualization.sheet import contact_sheet, side_by_side

PEOPLE_PER_SHEET = 24
_COLUMNS = 4
_MIN_HEIGHT = 256


def draw_sample(sample: dict, skeleton: Skeleton) -> np.ndarray:
    """Draw a dataset's sample.

    Args:
        sample: result of a pipeline that ends in ``PackPoseInputs`` with
            ``pack_transformed``: ``inputs`` (3, H, W) uint8, BGR, and
            ``data_samples``.
        skeleton: joints, limbs and colours.

    Returns:
        The crop with its annotated joints and, right of it, with its target
        heatmaps if any; (h, w, 3) uint8, BGR. Small crops are enlarged by a
        whole number.
    """
    crop = np.moveaxis(np.asarray(sample['inputs']), 0, -1)  # (H, W, 3)
    crop = np.ascontiguousarray(crop)
    truth = sample['data_samples'].gt_instances
    zoom = max(round(_MIN_HEIGHT / crop.shape[0]), 1)
    crop = cv2.resize(
        crop, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    # Resizing keeps the edges of pixels, at half coordinates.
    keypoints = (truth.transformed_keypoints[..., :2] + 0.5) * zoom - 0.5
    visible = np.asarray(truth.keypoints_visible)
    if visible.ndim == 3:  # KeypointConverter adds weights
        visible = visible[..., 0]
    images = [draw_pose(crop, keypoints, visible, skeleton, 0.5)]
    fields = sample['data_samples'].get('gt_fields')
    if fields is not None and 'heatmaps' in fields:
        images.append(draw_heatmaps(crop, np.asarray(fields.heatmaps)))
    return side_by_side(images)


def write_dataset_sheets(dataset: Any, number: int, out: Path,
                         title: str) -> list[Path]:
    """Write sheets of samples, spread evenly over a dataset.

    Args:
        dataset: with ``metainfo``, ``len()`` and samples as
            :func:`draw_sample` takes them.
        number: how many samples; at most all of them.
        out: folder to write to.
        title: first part of the files' names, and of the line above each
            sheet.

    Returns:
        The files, ``<title>_01.png`` and so on.
    """
    skeleton = skeleton_from_metainfo(dataset.metainfo)
    number = min(number, len(dataset))
    indices = np.linspace(0, len(dataset) - 1, number).round().astype(int)
    progress = tqdm(total=number, unit='person', disable=None)
    files: list[Path] = []
    for start in range(0, number, PEOPLE_PER_SHEET):
        images, captions = [], []
        for index in indices[start:start + PEOPLE_PER_SHEET]:
            sample = dataset[int(index)]
            images.append(draw_sample(sample, skeleton))
            info = sample['data_samples']
            flipped = ', flipped' if info.get('flip') else ''
            captions.append(f'{Path(info.img_path).stem}_{index}{flipped}')
            progress.update()
        files.append(out / f'{title}_{len(files) + 1:02d}.png')
        save_image(
            files[-1],
            contact_sheet(
                images, _COLUMNS, captions,
                f'{title}: input, joints and target heatmaps. '
                'Orange: the right side of the person, blue: the left side.'))
    progress.close()
    return files
