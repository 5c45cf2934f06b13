"""Heads and encoded samples of three keypoints."""
import numpy as np
import torch
from mmpose.registry import MODELS, TRANSFORMS
from small_estimator import CODEC, HEAD, empty_sample

POINTS = [[[10, 20], [50, 20], [33, 47]], [[5, 60], [61, 3], [0, 0]]]


def build_head(**options):
    return MODELS.build(dict(HEAD, **options))


def mse(use_target_weight):
    return dict(type='KeypointMSELoss', use_target_weight=use_target_weight)


def samples(points=POINTS, visible=None, codec=CODEC):
    """Samples of keypoints (B, K, 2) in input pixels, by MMPose's transforms.

    With heatmaps, or with ``encode_on_device`` in the codec with keypoints.
    """
    generate = TRANSFORMS.build(dict(type='GenerateTarget', encoder=codec))
    pack = TRANSFORMS.build(dict(type='PackPoseInputs'))
    made = []
    for index, keypoints in enumerate(np.asarray(points, np.float32)):
        results = generate(dict(
            img=np.zeros((64, 64, 3), np.uint8),
            transformed_keypoints=keypoints[None],
            keypoints_visible=np.ones((1, 3), np.float32)
            if visible is None else visible[index]))
        sample, person = pack(results)['data_samples'], empty_sample()
        sample.gt_instances = person.gt_instances
        sample.set_metainfo(person.metainfo)
        made.append(sample)
    return made


def targets(batch):
    return torch.stack([sample.gt_fields.heatmaps for sample in batch])
