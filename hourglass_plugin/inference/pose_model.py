"""A trained pose model, and the poses that it predicts in boxes."""
import itertools
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmpose.apis.inference import init_model
from mmpose.structures import PoseDataSample

from ..engine.malloc_hook import set_freed_memory
from ..models.consistency import check_predicts_poses
from ..models.weights.loading import load_weights
from ..models.wrapper import changed_test_cfg
from .person_search import THRESHOLD, PersonJudge, find_people
from .results import Pose


def build_pose_model(config: Config, checkpoint: dict, path: str,
                     device: str) -> BaseModel:
    """Build a config's model with a checkpoint's weights, for prediction.

    Args:
        config: of the model, with a ``test_dataloader`` for its pipeline.
        checkpoint: from ``models.weights.loading.read_checkpoint``.
        path: of the checkpoint, for messages.
        device: such as ``cpu`` or ``cuda:0``.

    Raises:
        ValueError: if the device is not there, the checkpoint is of another
            model, or the config has no test pipeline or is a detector's.
    """
    if config.get('test_dataloader') is None:
        raise ValueError('the config has no `test_dataloader` and pipeline')
    check_predicts_poses(config)
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
    return model


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
    found = (sample.pred_instances
             for sample in run_model(model, images, boxes, names))
    poses = (Pose(np.asarray(each.bboxes[0]), np.asarray(each.keypoints[0]),
                  np.asarray(each.keypoint_scores[0])) for each in found)
    return [list(itertools.islice(poses, len(inside))) for inside in boxes]


def run_model(model: BaseModel, images: Sequence[np.ndarray],
               boxes: Sequence[np.ndarray],
               names: Sequence[str] | None = None) -> list[PoseDataSample]:
    """Return the model's output for each box, image after image."""
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    people = [
        pipeline(dict(
            img=image, img_path=name, bbox=np.array([box], np.float32),
            bbox_score=np.ones(1, np.float32), **model.dataset_meta))
        for image, name, inside in zip(
            images, names or itertools.repeat(None), boxes) for box in inside]
    with torch.no_grad():
        return model.test_step(pseudo_collate(people)) if people else []


def whole_image(image: np.ndarray) -> np.ndarray:
    """Return the box (1, 4) of a person who fills an image."""
    height, width = image.shape[:2]
    return np.array([[0, 0, width, height]], np.float32)


def search_people(model: BaseModel, judge: PersonJudge | None,
                  image: np.ndarray) -> np.ndarray:
    """Return the boxes (N, 4) of everybody, at least of the surest person."""
    boxes, confidences = score_people(model, judge, image)
    count = 0 if judge is None else int((confidences >= THRESHOLD).sum())
    return boxes[:max(count, 1)]


def score_people(model: BaseModel, judge: PersonJudge | None,
                 image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`.person_search.find_people` does, with a model.

    Args:
        model: from :func:`build_pose_model`.
        judge: from :func:`load_judge`.
        image: (H, W, 3) uint8, BGR.
    """

    def predict(image: np.ndarray,
                boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        poses, = predict_poses(model, [image], [boxes])
        return (np.stack([pose.keypoints for pose in poses]),
                np.stack([pose.scores for pose in poses]))

    side = max(model.head.decoder.input_size)
    with changed_test_cfg(model, flip_test=False, eval_all_stacks=False):
        return find_people(image, predict, side, judge)


def load_judge(checkpoint: dict) -> PersonJudge | None:
    """Return the judge that a checkpoint has beside the model's weights."""
    weights = checkpoint.get('person_judge')
    if weights is None:
        return None
    judge = PersonJudge(weights['layers.1.weight'].shape[1] // 3).eval()
    judge.load_state_dict(weights)
    return judge
