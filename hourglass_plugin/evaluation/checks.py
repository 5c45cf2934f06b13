"""Checks that a dataset has what each metric needs, before the first step."""
import contextlib
import copy
import os
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from .metrics import PCKMetric


def check_evaluator(evaluator: Evaluator | None, dataset: Any,
                    phase: str) -> list[str]:
    """Check a dataset's evaluation by scoring two samples' ground truth.

    MMPose's ``CocoMetric`` on a :class:`CustomKeypointDataset` is set to score
    the annotations as the dataset reads them. There is no ``evaluator`` in
    training; ``phase`` is ``val`` or ``test``, for the message.

    Returns:
        The names of the scores; none if not all of them are known.

    Raises:
        ValueError: if a metric cannot score the dataset.
    """
    from ..datasets.custom_dataset import CustomKeypointDataset
    metrics = getattr(evaluator, 'metrics', ())
    known = [each for each in metrics if isinstance(each, PCKMetric)
             or type(each).__module__.startswith('mmpose.')]
    samples = _perfect_samples(dataset) if known else []
    if not samples or 'keypoints' not in samples[0]['pred_instances']:
        return []  # bottom-up, or empty
    scores: list[str] = []
    for metric in known:
        name = f'{phase}_evaluator: {type(metric).__name__}'
        count = dataset.metainfo.get('num_keypoints')
        sigmas = len(dataset.metainfo.get('sigmas', ()))
        if hasattr(metric, 'iou_type') and sigmas != count:
            raise ValueError(
                f'{name} needs a sigma for each keypoint, but metainfo.sigmas '
                f'has {sigmas} for {count}: set sigmas=[0.05] * {count}')
        if isinstance(dataset, CustomKeypointDataset) and (
                not dataset.bbox_file and hasattr(metric, 'coco')):
            metric.coco = _ground_truth(dataset)
        try:
            scores += _scores_of(metric, samples)
        except Exception as error:  # of any class
            raise ValueError(f'{name} cannot score the dataset: '
                             f'{type(error).__name__}: {error}') from error
    return scores if len(known) == len(metrics) else []


def _ground_truth(dataset: Any) -> Any:
    """Return a dataset's annotations as ``CocoMetric`` holds a file's."""
    from mmpose.evaluation.metrics.coco_metric import COCO
    coco = COCO()
    coco.dataset = dataset.read_content()._asdict()
    coco.createIndex()
    return coco


def _perfect_samples(dataset: Any) -> list[dict]:
    """Return two samples whose predictions are the ground truth."""
    samples = []
    for index in range(min(2, len(dataset))):
        sample = dataset[index]['data_samples'].to_dict()
        truth = sample.get('gt_instances') or {}
        predicted = {name: np.array(truth[name]) for name in (
            'keypoints', 'bboxes', 'bbox_scores') if name in truth}
        if 'keypoints' in predicted:
            shape = predicted['keypoints'].shape[:2]
            predicted['keypoint_scores'] = np.ones(shape, np.float32)
        samples.append(dict(sample, pred_instances=predicted))
    return samples


def _scores_of(metric: Any, samples: list[dict]) -> list[str]:
    """Return the names of a metric's scores, silently."""
    if getattr(metric, 'format_only', False):
        return []
    # A converter changes the ground truth in place.
    is_changed = getattr(metric, 'gt_converter', None) is not None
    trial = copy.deepcopy(metric) if is_changed else copy.copy(metric)
    trial.results = []
    if hasattr(trial, 'outfile_prefix'):
        trial.outfile_prefix = None  # writes no file
    logger = MMLogger.get_current_instance()
    logger.disabled = True
    try:
        with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(
                nowhere):
            trial.process({}, samples)
            scores = trial.compute_metrics(trial.results)
    finally:
        logger.disabled = False
    return [f'{trial.prefix}/{score}' if trial.prefix else score
            for score in scores]
