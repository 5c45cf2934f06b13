"""Heads, networks and encoded samples of three keypoints."""
import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample

CODEC = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
FLIP_INDICES = [1, 0, 2]


def build_head(**options):
    return MODELS.build(
        dict(
            type='MultiStageHeatmapHead',
            **dict(dict(out_channels=3, decoder=CODEC), **options)))


def mse(use_target_weight):
    return dict(type='KeypointMSELoss', use_target_weight=use_target_weight)


def build_network(**options):
    return MODELS.build(
        dict(
            type='StackedHourglass',
            **dict(
                dict(num_stacks=2, feat_channels=8, num_keypoints=3),
                **options)))


def samples(points, visible=None, codec=CODEC):
    """Data samples for keypoints (B, K, 2) in input pixels."""
    encoder = KEYPOINT_CODECS.build(codec)
    made = []
    for index, keypoints in enumerate(np.asarray(points, np.float32)):
        encoded = encoder.encode(
            keypoints[None],
            np.ones((1, 3)) if visible is None else visible[index])
        sample = PoseDataSample()
        sample.set_metainfo(
            dict(
                flip_indices=FLIP_INDICES,
                input_size=(64, 64),
                input_center=np.array([32., 32.]),
                input_scale=np.array([64., 64.])))
        sample.gt_instances = InstanceData(
            bboxes=np.array([[0, 0, 64, 64]], np.float32),
            bbox_scores=np.ones(1, np.float32))
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.from_numpy(encoded['keypoint_weights']))
        sample.gt_fields = PixelData(
            heatmaps=torch.from_numpy(encoded['heatmaps']))
        made.append(sample)
    return made


POINTS = [[[10, 20], [50, 20], [33, 47]], [[5, 60], [61, 3], [0, 0]]]


def targets(batch):
    return torch.stack([sample.gt_fields.heatmaps for sample in batch])


def keypoint_samples(points, visible=None, **codec):
    """As :func:`samples`, through MMPose's transforms and without heatmaps."""
    transforms = [
        TRANSFORMS.build(part) for part in (
            dict(
                type='GenerateTarget',
                encoder=dict(CODEC, encode_on_device=True, **codec)),
            dict(type='PackPoseInputs'))
    ]
    made = []
    for index, keypoints in enumerate(np.asarray(points, np.float32)):
        results = dict(
            img=np.zeros((64, 64, 3), np.uint8),
            transformed_keypoints=keypoints[None],
            keypoints_visible=np.ones((1, 3), np.float32)
            if visible is None else visible[index])
        for transform in transforms:
            results = transform(results)
        made.append(results['data_samples'])
    return made
