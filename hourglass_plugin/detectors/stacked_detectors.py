"""MMDetection's CornerNet, CentripetalNet and CenterNet on our hourglasses.

Sources: Law and Deng, "CornerNet: Detecting Objects as Paired Keypoints",
ECCV 2018; Dong et al., "CentripetalNet" (arXiv:2003.09119); Zhou, Wang and
Krähenbühl, "Objects as Points" (arXiv:1904.07850). MMDetection implements
them; these classes check them.
"""
from typing import Any

from mmdet.models.dense_heads import CenterNetHead, CentripetalHead
from mmdet.models.detectors import CenterNet, CornerNet, SingleStageDetector
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..compat.imports import has_mmcv_operators
from ..models.stacked_hourglass import StackedHourglass


class _StackedHourglassDetector(SingleStageDetector):
    """First base of a detector of MMDetection's: see :func:`check_levels`."""

    def __init__(self, *arguments: Any, neck: Any = None, **options: Any):
        super().__init__(*arguments, neck=neck, **options)
        if not self.with_neck:
            check_levels(self.backbone, self.bbox_head)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of (B, 3, H, W) images, (B, C, H/4, W/4) for each level.

        Contiguous, as MMDetection's heads need them to find boxes.
        """
        return tuple(
            each.contiguous() for each in super().extract_feat(batch_inputs))


@MODELS.register_module()
class HourglassCornerNet(_StackedHourglassDetector, CornerNet):
    """CornerNet, with MMDetection's ``CornerHead`` or ``CentripetalHead``.

    Raises:
        ValueError: see :func:`check_levels`.
        ModuleNotFoundError: if mmcv lacks an operator that the head needs.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if (isinstance(self.bbox_head, CentripetalHead)
                and not has_mmcv_operators()):
            raise ModuleNotFoundError(
                "CentripetalHead needs mmcv's compiled deformable "
                'convolution: install the full mmcv in place of mmcv-lite',
                name='mmcv._ext')


@MODELS.register_module()
class HourglassCenterNet(_StackedHourglassDetector, CenterNet):
    """CenterNet, with :class:`StackedCenterNetHead`.

    Or MMDetection's ``CenterNetHead`` for the last stack alone.

    Raises:
        ValueError: see :func:`check_levels`.
    """


def check_levels(backbone: nn.Module, head: nn.Module) -> None:
    """Check that a head reads the maps that a StackedHourglass returns.

    MMDetection pairs maps and levels from the first on and ignores the rest.

    Args:
        backbone: others are not checked.
        head: its ``num_feat_levels`` and ``in_channels`` are checked.

    Raises:
        ValueError: if the backbone returns heatmaps, another number of maps,
            or maps of another width.
    """
    if not isinstance(backbone, StackedHourglass):
        return
    name = type(head).__name__
    if backbone.num_keypoints is not None:
        raise ValueError(
            f'the backbone returns heatmaps, but {name} reads features: leave '
            f'num_keypoints={backbone.num_keypoints} out of the backbone')
    count, width = len(backbone.out_stacks), backbone.out_channels
    levels = getattr(head, 'num_feat_levels', count)
    channels = getattr(head, 'in_channels', width)
    if isinstance(head, CenterNetHead):  # of one level, without attributes
        levels, channels = 1, head.heatmap_head[0].in_channels
    if (levels, channels) != (count, width):
        raise ValueError(
            f'{name} reads {levels} maps of {channels} channels, but the '
            f'backbone returns {count} of {width}: set num_feat_levels={count}'
            f' (StackedCenterNetHead has it) and in_channels={width} in the '
            f'head, or out_stacks={[*range(-levels, 0)]} and feat_channels='
            f'{channels} in the backbone')
