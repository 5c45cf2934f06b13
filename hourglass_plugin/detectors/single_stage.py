"""What every detector on stacked hourglasses does besides MMDetection."""
from typing import Any, Optional

from mmdet.models.dense_heads import CenterNetHead
from mmdet.models.detectors import SingleStageDetector
from torch import Tensor, nn

from ..models.stacked_hourglass import StackedHourglass


class OnStacks(SingleStageDetector):
    """First base of a detector of MMDetection's: see :func:`check_levels`.

    Args:
        backbone: config of a ``StackedHourglass`` that returns as many maps
            as the head has levels, see ``out_stacks``. Other backbones are
            not checked.
        neck: none, as a rule; what comes after one is not checked either.
        bbox_head: config of the head.
        arguments: MMDetection's other arguments.

    Raises:
        ValueError: if backbone and head do not fit.
    """

    def __init__(self,
                 backbone: dict,
                 neck: Optional[dict] = None,
                 bbox_head: Optional[dict] = None,
                 **arguments: Any) -> None:
        super().__init__(backbone, neck, bbox_head, **arguments)
        if not self.with_neck:
            check_levels(self.backbone, self.bbox_head)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of (B, 3, H, W) images, (B, C, H/4, W/4) for each level.

        In rows, as MMDetection's heads need them in tests: the hourglasses'
        have their channels innermost in memory.
        """
        return tuple(
            features.contiguous()
            for features in super().extract_feat(batch_inputs))


def check_levels(backbone: nn.Module, head: nn.Module) -> None:
    """Refuse a head for other maps than the hourglasses before it return.

    MMDetection pairs maps with the head's levels from the first on, and
    leaves out what remains on either side without a word.

    Args:
        backbone: checked if it is a :class:`StackedHourglass`.
        head: with ``num_feat_levels`` and ``in_channels``, or MMDetection's
            ``CenterNetHead``; of other heads only what they have is checked.

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
    levels = getattr(head, 'num_feat_levels', None)
    channels = getattr(head, 'in_channels', None)
    if isinstance(head, CenterNetHead):  # of one level, and keeps no numbers
        levels, channels = 1, head.heatmap_head[0].in_channels
    maps = len(backbone.out_stacks)
    if levels not in (None, maps):
        if levels > backbone.num_stacks:
            way_out = f'num_stacks={levels} in the backbone'
        else:
            way_out = f'out_stacks={list(range(-levels, 0))} in the backbone'
        if isinstance(head, CenterNetHead):
            way_out += f' or take StackedCenterNetHead, num_feat_levels={maps}'
        else:
            way_out += f' or num_feat_levels={maps} in the head'
        raise ValueError(
            f'{name} reads num_feat_levels={levels} maps, but the backbone '
            f'returns {maps}, of the stacks {list(backbone.out_stacks)}: set '
            f'{way_out}')
    if channels not in (None, backbone.out_channels):
        raise ValueError(
            f'{name} reads maps of in_channels={channels}, but the backbone '
            f'returns {backbone.out_channels} channels: set '
            f'in_channels={backbone.out_channels} in the head or '
            f'feat_channels={channels} in the backbone')
