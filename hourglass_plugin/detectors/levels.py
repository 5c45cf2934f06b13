"""Whether a backbone returns what a detector's head reads."""
from mmdet.models.dense_heads import CenterNetHead
from torch import nn

from ..models import StackedHourglass


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
    if isinstance(head, CenterNetHead):  # one level, by its construction
        levels, channels = 1, head.heatmap_head[0].in_channels
    else:
        levels = getattr(head, 'num_feat_levels', None)
        channels = getattr(head, 'in_channels', None)
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
