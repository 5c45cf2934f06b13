"""Checks that a dataset has what each metric needs, before the first step."""
import contextlib
import copy
import logging
import os
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator

from .metrics import PCKMetric, stack_people
from .table import logged_scores

#: Samples of the dataset that are scored.
_SAMPLES = 2


def check_evaluator(evaluator: Evaluator | None, dataset: Any, phase: str,
                    needs_scores: bool = False) -> list[str]:
    """Check a dataset's evaluation by scoring its own ground truth.

    MMPose's ``CocoMetric`` on a :class:`CustomKeypointDataset` is set to score
    the annotations as the dataset reads them.

    Args:
        evaluator: of the loop; None in training.
        dataset: of the loop.
        phase: ``val`` or ``test``, for the message.
        needs_scores: whether the names of the scores are needed.

    Returns:
        The names of the scores; none if they are not needed or not known.

    Raises:
        ValueError: if a metric cannot score the dataset.
    """
    from ..datasets.custom_dataset import CustomKeypointDataset
    samples: list[dict] | None = None
    scores: list[str] = []
    is_known = needs_scores
    for metric in getattr(evaluator, 'metrics', ()):
        name = f'{phase}_evaluator: {type(metric).__name__}'
        if isinstance(metric, PCKMetric):
            if not needs_scores:
                continue
        elif type(metric).__module__.startswith('mmpose.'):
            _check_sigmas(metric, name)
            if isinstance(dataset, CustomKeypointDataset) and (
                    not dataset.bbox_file and hasattr(metric, 'coco')):
                metric.coco = _ground_truth(dataset)
        else:
            is_known = False
            continue
        if samples is None:
            samples = _perfect_samples(dataset)
        if not samples or 'keypoints' not in samples[0]['pred_instances']:
            return []  # bottom-up, or empty
        if isinstance(metric, PCKMetric):
            people = stack_people([metric.person(each) for each in samples])
            scores += [f'{metric.prefix or metric.columns.dataset}/{score}'
                       for score in logged_scores(metric.score(people).rows)]
        else:
            scores += _scores_of(metric, samples, name)
    return scores if is_known else []


def _ground_truth(dataset: Any) -> Any:
    """Return a dataset's annotations as ``CocoMetric`` holds a file's."""
    from mmpose.evaluation.metrics.coco_metric import COCO
    coco = COCO()
    coco.dataset = dataset.read_content()._asdict()
    coco.createIndex()
    return coco


def _check_sigmas(metric: Any, name: str) -> None:
    """Reject a ``CocoMetric`` without a sigma for each keypoint."""
    meta = metric.dataset_meta or {}
    count = meta.get('num_keypoints')
    if hasattr(metric, 'iou_type') and len(meta.get('sigmas', ())) != count:
        raise ValueError(
            f'{name} needs a sigma for each keypoint, but metainfo.sigmas has '
            f'{len(meta["sigmas"])} for {count}: set sigmas=[0.05] * {count}')


def _perfect_samples(dataset: Any) -> list[dict]:
    """Return some samples whose predictions are the ground truth."""
    samples = []
    for index in range(min(_SAMPLES, len(dataset))):
        sample = dataset[index]['data_samples'].to_dict()
        truth = sample.get('gt_instances') or {}
        predicted = {name: np.array(truth[key]) for name, key in (
            ('keypoints', 'keypoints'), ('bboxes', 'bboxes'),
            ('bbox_scores', 'bbox_scores')) if key in truth}
        if 'keypoints' in predicted:
            shape = predicted['keypoints'].shape[:2]
            predicted['keypoint_scores'] = np.ones(shape, np.float32)
        samples.append(dict(sample, pred_instances=predicted))
    return samples


def _scores_of(metric: Any, samples: list[dict], name: str) -> list[str]:
    """Return the names of one of MMPose's metrics' scores, silently.

    Raises:
        ValueError: if it fails.
    """
    if getattr(metric, 'format_only', False):
        return []
    # A converter changes the ground truth in place.
    is_changed = getattr(metric, 'gt_converter', None) is not None
    trial = copy.deepcopy(metric) if is_changed else copy.copy(metric)
    trial.results = []
    if hasattr(trial, 'outfile_prefix'):
        trial.outfile_prefix = None  # writes no file
    logging.disable()
    try:
        with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(
                nowhere):
            trial.process({}, samples)
            scores = trial.compute_metrics(trial.results)
    except Exception as error:  # of any class
        raise ValueError(
            f'{name} cannot score the dataset: {type(error).__name__}: '
            f'{error}') from error
    finally:
        logging.disable(logging.NOTSET)
    return [f'{trial.prefix}/{score}' if trial.prefix else score
            for score in scores]
