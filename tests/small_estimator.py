"""A small pose estimator of three keypoints, and its predictions."""
import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

CODEC = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
HEAD = dict(type='MultiStageHeatmapHead', out_channels=3, decoder=CODEC)
FLIP_INDICES = [1, 0, 2]


def build(kind='HourglassPoseEstimator',
          feedback=True,
          channels=8,
          **test_cfg):
    torch.manual_seed(0)
    heads_own = {} if feedback else dict(in_channels=channels, num_stages=3)
    model = MODELS.build(dict(
        type=kind,
        backbone=dict(
            type='StackedHourglass', num_stacks=3, feat_channels=channels,
            depth=2, num_keypoints=3 if feedback else None),
        head=dict(HEAD, **heads_own), test_cfg=test_cfg)).eval()
    for name, parameter in model.named_parameters():
        if 'heatmaps' in name:  # visible, not near zero
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def empty_sample(side=64):
    """A person whose crop is the image of ``side`` x ``side`` pixels."""
    return PoseDataSample(
        gt_instances=InstanceData(
            bboxes=np.float32([[0, 0, side, side]]),
            bbox_scores=np.ones(1, np.float32)),
        metainfo=dict(
            input_size=(side, side),
            input_center=np.array([side / 2, side / 2]),
            input_scale=np.array([side, side], float),
            flip_indices=FLIP_INDICES))


def images(count):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, 64, 64, generator=generator)


def predict(model, count=3):
    samples = [empty_sample() for _ in range(count)]
    with torch.no_grad():
        found = model.predict(images(count), samples)
    return [sample.pred_instances for sample in found]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert set(one.keys()) == set(other.keys())
        # The cells are the same; float32 sums in another order.
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-4)
        np.testing.assert_allclose(
            one.keypoint_scores, other.keypoint_scores, rtol=1e-4)
