"""Detectors of few channels, and training samples for them."""
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

CHANNELS = 8
CORNER_HEAD = dict(
    type='CornerHead', num_classes=3, in_channels=CHANNELS, num_feat_levels=2)
CENTER_HEAD = dict(type='CenterNetHead', num_classes=3, in_channels=CHANNELS,
                   feat_channels=CHANNELS)
STACKED_HEAD = dict(
    CENTER_HEAD, type='StackedCenterNetHead', num_feat_levels=2)


def build(config, registry=MODELS):
    """Build a part of MMDetection, and leave the scope to other tests."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        return registry.build(config)


def detector(type, head, neck=None, **backbone):
    backbone = dict(dict(type='StackedHourglass', num_stacks=2,
                         feat_channels=CHANNELS), **backbone)
    return build(dict(
        type=type, backbone=backbone, neck=neck, bbox_head=dict(head),
        test_cfg=dict(topk=10, local_maximum_kernel=3)))


def sample(height, width, boxes, labels):
    """An image of this size with boxes in pixels.

    ``border`` is where MMDetection's padding begins and ends; there is none.
    """
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(height, width),
            batch_input_shape=(height, width),
            border=[0, height, 0, width]))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(labels, dtype=torch.int64))
    return sample


def total(losses):
    """The sum that is minimised; MMDetection has lists of one a level."""
    return sum(loss.sum() for value in losses.values()
               for loss in (value if isinstance(value, list) else [value]))


def without_gradient(model):
    """Names of parameters without a finite gradient."""
    return [
        name for name, weight in model.named_parameters()
        if weight.grad is None or not weight.grad.isfinite().all()]
