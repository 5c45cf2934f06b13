"""Poses of a network in windows of training images, and a judge of them."""
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress
from mmpose.registry import DATASETS
from pycocotools.coco import COCO
from torch import Tensor
from torch.nn import functional

from hourglass_plugin.inference import person_search
from hourglass_plugin.inference.person_search import PersonJudge
from hourglass_plugin.inference.pose_model import predict_poses
from hourglass_plugin.inference.tracking import box_around, box_overlap
from hourglass_plugin.models.wrapper import changed_test_cfg
from hourglass_plugin.visualization.image_files import read_image

#: Distance at which a keypoint is half wrong, as a fraction of the longer side
#: of the person's box.
TOLERANCE = 0.1
#: Poses that fit better than this have their person's box to learn from.
FITS = 0.3
#: A person with fewer keypoints is not learnt, but no counterexample either.
MIN_KEYPOINTS = 3
EPOCHS, BATCH_SIZE, LEARNING_RATE = 25, 256, 2e-3


class People(NamedTuple):
    """People of an image."""

    boxes: np.ndarray  #: (N, 4) left, top, right, bottom in pixels
    keypoints: np.ndarray  #: (N, K, 2) in pixels
    annotated: np.ndarray  #: (N, K) booleans
    #: (M, 4) boxes of others; None if others are not annotated
    others: np.ndarray | None

    def scaled(self, scale: float) -> 'People':
        """Return them in a reduced image."""
        boxes, keypoints, others = (
            None if each is None else (each + 0.5) * scale - 0.5
            for each in (self.boxes, self.keypoints, self.others))
        return People(boxes, keypoints, self.annotated, others)


class Poses(NamedTuple):
    """Poses that the network predicted in boxes, and what was there."""

    boxes: Tensor  #: (N, 4) in which they were predicted
    keypoints: Tensor  #: (N, K, 2)
    scores: Tensor  #: (N, K)
    fits: Tensor  #: (N,) 0 to 1
    targets: Tensor  #: (N, 4) the people's boxes


def read_images(config: Config, boxes_file: str | None, limit: int,
                rng: np.random.Generator) -> list[tuple[str, People]]:
    """Return files of the config's training sets and the people in them.

    Args:
        config: with a ``CombinedDataset`` for training.
        boxes_file: COCO's format, boxes of everybody in COCO's images.
        limit: number of COCO's images, at most; a quarter of other sets.
        rng: chooses them.
    """
    init_default_scope('mmpose')
    everybody: dict[str, np.ndarray] = {}
    if boxes_file is not None:
        truth = COCO(boxes_file)
        for number, image in truth.imgs.items():
            found = np.array([each['bbox'] for each in
                              truth.imgToAnns[number]], float).reshape(-1, 4)
            found[:, 2:] += found[:, :2]
            everybody[image['file_name']] = found
    images = []
    for settings in config.train_dataloader.dataset.datasets:
        while 'dataset' in settings:  # repeated
            settings = settings.dataset
        by_file: dict[str, list] = {}
        for sample in DATASETS.build(settings):
            by_file.setdefault(sample['img_path'], []).append(sample)
        files = [*by_file]
        if Path(files[0]).name not in everybody:  # without counterexamples
            files = files[:limit // 4]
        for file in rng.permutation(files)[:limit]:
            boxes = np.concatenate([each['bbox'] for each in by_file[file]])
            others = everybody.get(Path(file).name)
            keypoints, annotated = (
                np.concatenate([each[key] for each in by_file[file]])
                for key in ('keypoints', 'keypoints_visible'))
            if annotated.ndim == 3:  # with the weights of a converter
                annotated = annotated[..., 0]
            images.append((file, People(boxes, keypoints, annotated > 0,
                                        others)))
    return images


def judge_by_truth(keypoints: np.ndarray,
                   people: People) -> tuple[np.ndarray, np.ndarray]:
    """Return how well poses (N, K, 2) fit a person, and whose box it is.

    Poses of which that is not known have NaN.
    """
    sides = (people.boxes[:, 2:] - people.boxes[:, :2]).max(1)
    errors = np.linalg.norm(
        keypoints[:, None] - people.keypoints, axis=3) / sides[:, None]
    fit = np.exp(-errors**2 / (2 * TOLERANCE**2))  # (N, people, K)
    counts = people.annotated.sum(1)
    fit = (fit * people.annotated).sum(2) / np.maximum(counts, 1)
    fit[:, counts < MIN_KEYPOINTS] = 0
    best = fit.argmax(1)
    fits, targets = fit.max(1), people.boxes[best]
    is_wrong = fits < FITS
    if people.others is None:
        fits[is_wrong] = np.nan
    else:
        # Everybody who is not annotated, also by too few keypoints.
        known = people.boxes[counts >= MIN_KEYPOINTS]
        unknown = people.others
        if len(known) and len(unknown):
            unknown = unknown[box_overlap(unknown, known).max(1) < 0.9]
        around = np.stack([*map(box_around, keypoints)])
        if len(unknown):
            is_close = box_overlap(around, unknown).max(1) > 0.3
            fits[is_wrong & is_close] = np.nan
    return fits, targets


def collect(model: Any, images: list[tuple[str, People]],
            rng: np.random.Generator) -> list[Poses]:
    """Return the poses in windows, and in boxes around the best of them."""
    side = max(model.head.decoder.input_size)
    sizes = person_search.WINDOW_SIZES
    collected = []
    with changed_test_cfg(model, flip_test=False, eval_all_stacks=False):
        for file, people in track_iter_progress(images):
            seen: list[tuple[np.ndarray, ...]] = []

            def predict(image: np.ndarray, boxes: np.ndarray,
                        seen: list = seen) -> tuple:
                poses, = predict_poses(model, [image], [boxes])
                pose = (np.stack([pose.keypoints for pose in poses]),
                        np.stack([pose.scores for pose in poses]))
                seen.append((boxes, *pose))
                return pose

            image, scale = person_search.reduced(read_image(file), side)
            person_search.WINDOW_SIZES = tuple(
                sizes * np.exp(rng.uniform(-0.2, 0.2, len(sizes))))
            person_search.find_people(image, predict, side)
            boxes, keypoints, scores = map(np.concatenate, zip(*seen))
            fits, targets = judge_by_truth(keypoints, people.scaled(scale))
            known = np.isfinite(fits)
            collected.append(Poses(*(
                torch.from_numpy(each[known]).float()
                for each in (boxes, keypoints, scores, fits, targets))))
    person_search.WINDOW_SIZES = sizes
    return collected


def flipped(poses: Poses, flip_indices: list[int]) -> Poses:
    """Return the same poses in images that are flipped at x = 0."""
    turn = torch.tensor([-1.0, 1.0])
    corners = [2, 1, 0, 3]
    around = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    return Poses(poses.boxes[:, corners] * around,
                 poses.keypoints[:, flip_indices] * turn,
                 poses.scores[:, flip_indices], poses.fits,
                 poses.targets[:, corners] * around)


def train(poses: Poses) -> PersonJudge:
    """Return a judge that learnt from poses."""
    torch.manual_seed(0)
    judge = PersonJudge(poses.scores.shape[1])
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=1e-3)
    steps = len(poses.fits) // BATCH_SIZE
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, EPOCHS * steps)
    for _ in range(EPOCHS):
        order = torch.randperm(len(poses.fits))[:steps * BATCH_SIZE]
        for chosen in order.split(BATCH_SIZE):
            batch = Poses(*(each[chosen] for each in poses))
            boxes, logits = judge(*batch[:3])
            sides = (batch.boxes[:, 2:] - batch.boxes[:, :2]).amax(1)
            distances = functional.smooth_l1_loss(
                boxes / sides[:, None], batch.targets / sides[:, None],
                reduction='none', beta=0.1).sum(1)
            loss = functional.binary_cross_entropy_with_logits(
                logits, batch.fits) + distances[batch.fits > FITS].mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return judge.eval()


def ranked_right(confidences: Tensor, is_right: Tensor) -> float:
    """Return how often a right pose has more than a wrong one (ROC AUC)."""
    ranks = confidences.argsort().argsort().double() + 1
    right = int(is_right.sum())
    least = right * (right + 1) / 2
    pairs = right * (len(is_right) - right)
    return float((ranks[is_right].sum() - least) / pairs)
