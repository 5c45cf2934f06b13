"""CenterNet's head on every stack of a hourglass network.

Shape shorthand: B batch, S stacks, H and W of the features.

Source: Zhou, Wang and Krähenbühl, "Objects as Points" (arXiv:1904.07850),
sections 3 and 5.1: the two-stack hourglass of CornerNet with CenterNet's
heads. MMDetection implements the heads, for one feature map.
"""
from collections.abc import Sequence
from typing import Any

from mmdet.models.dense_heads import CenterNetHead
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.utils import multi_apply
from mmdet.registry import MODELS
from mmengine.model import ModuleList
from torch import Tensor


@MODELS.register_module()
class StackedCenterNetHead(BaseDenseHead):
    """One of MMDetection's ``CenterNetHead`` on every stack.

    Each has its own weights and losses. Boxes are those of the last. Methods
    take the arguments of MMDetection's head.

    Args:
        num_classes: number of classes.
        in_channels: channels of each stack's features.
        feat_channels: channels between the head's two convolutions.
        num_feat_levels: number of stacks (S).
        options: of MMDetection's head: ``loss_center_heatmap``, ``loss_wh``
            and ``loss_offset``, configs of the losses; ``test_cfg``;
            ``init_cfg``.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 feat_channels: int,
                 num_feat_levels: int = 2,
                 **options: Any) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.num_feat_levels = num_feat_levels
        self.test_cfg = options.get('test_cfg')
        self.heads = ModuleList(
            CenterNetHead(in_channels, feat_channels, num_classes, **options)
            for _ in range(num_feat_levels))

    def forward(self, features: Sequence[Tensor]) -> tuple[list[Tensor], ...]:
        """Predict from the features (B, in_channels, H, W) of S stacks.

        Returns:
            Three lists with one tensor per stack. Heatmaps of the centres
            (B, num_classes, H, W), 0 to 1; widths and heights, and offsets
            of the centres (B, 2, H, W), both in heatmap cells.
        """
        return multi_apply(CenterNetHead.forward_single, self.heads, features)

    def loss_by_feat(self, heatmaps: list[Tensor], sizes: list[Tensor],
                     offsets: list[Tensor], *targets: Any) -> dict:
        """Compute MMDetection's three losses of every stack.

        Returns:
            Scalar tensors ``loss_center_heatmap_stack_i``,
            ``loss_wh_stack_i`` and ``loss_offset_stack_i``, i from 1.
        """
        losses = {}
        stacks = zip(self.heads, heatmaps, sizes, offsets)
        for number, (head, *maps) in enumerate(stacks, 1):
            of_stack = head.loss_by_feat(*([each] for each in maps), *targets)
            for name, loss in of_stack.items():
                losses[f'{name}_stack_{number}'] = loss
        return losses

    def predict_by_feat(self, heatmaps: list[Tensor], sizes: list[Tensor],
                        offsets: list[Tensor], *arguments: Any,
                        **options: Any) -> list:
        """Decode the last stack's predictions with MMDetection's head.

        Returns:
            One ``InstanceData`` an image: ``bboxes`` (N, 4) in pixels,
            ``scores`` (N, ) and ``labels`` (N, ).
        """
        maps = (each[-1:] for each in (heatmaps, sizes, offsets))
        return self.heads[-1].predict_by_feat(*maps, *arguments, **options)
