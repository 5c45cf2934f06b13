"""CenterNet on stacked hourglasses, trained at every stack.

Shape shorthand: B batch, S stacks, C channels, H and W of the features.

Source: Zhou, Wang and Krähenbühl, "Objects as Points" (arXiv:1904.07850),
sections 3 and 5.1: the two-stack hourglass of CornerNet, whose heads are
those of every other network. MMDetection has the heads, for one map only.
"""
from collections.abc import Sequence
from typing import Any, Optional

from mmdet.models.dense_heads import CenterNetHead
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.detectors import CenterNet
from mmdet.models.utils import multi_apply
from mmdet.registry import MODELS
from mmengine.model import ModuleList
from torch import Tensor

from .single_stage import OnStacks


# MMDetection's own name, too, as in cornernet.py.
@MODELS.register_module(name=['HourglassCenterNet', 'CenterNet'], force=True)
class HourglassCenterNet(OnStacks, CenterNet):
    """MMDetection's CenterNet, which refuses a head that does not fit.

    Its head is :class:`StackedCenterNetHead`, or MMDetection's
    ``CenterNetHead`` for the last stack alone. It stands in for ``CenterNet``
    in MMDetection's registry, too.

    Raises:
        ValueError: if backbone and head do not fit.
    """


@MODELS.register_module()
class StackedCenterNetHead(BaseDenseHead):
    """One of MMDetection's ``CenterNetHead`` on every stack.

    Each has its own weights and its own losses, which are added up. Boxes are
    those of the last.

    Args:
        num_classes: kinds of objects.
        in_channels: channels of each stack's features.
        feat_channels: channels between the head's two convolutions.
        num_feat_levels: number of stacks whose features are read.
        train_cfg: not used; detectors hand it on.
        test_cfg: ``topk``, ``local_maximum_kernel`` and what else
            MMDetection's head takes.
        init_cfg: mmengine's initialisation config.
        arguments: ``loss_center_heatmap``, ``loss_wh`` and ``loss_offset``,
            MMDetection's configs of the losses.

    Raises:
        ValueError: if there is no stack.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 feat_channels: int,
                 num_feat_levels: int = 2,
                 train_cfg: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None,
                 **arguments: Any) -> None:
        super().__init__(init_cfg=init_cfg)
        if type(num_feat_levels) is not int or num_feat_levels < 1:
            raise ValueError('num_feat_levels must be a positive integer, but '
                             f'it is {num_feat_levels!r}')
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.num_feat_levels = num_feat_levels
        self.train_cfg = train_cfg
        self.test_cfg = test_cfg
        self.heads = ModuleList([
            CenterNetHead(
                in_channels,
                feat_channels,
                num_classes,
                train_cfg=train_cfg,
                test_cfg=test_cfg,
                **arguments) for _ in range(num_feat_levels)
        ])

    def forward(self, features: Sequence[Tensor]) -> tuple[list[Tensor], ...]:
        """Predict from every stack's features.

        Args:
            features: S of (B, in_channels, H, W).

        Returns:
            Three lists with an entry for each stack, which are centres'
            heatmaps (B, num_classes, H, W), in 0 to 1, widths and heights
            (B, 2, H, W), in cells, and offsets of the centres (B, 2, H, W),
            in cells.
        """
        return multi_apply(CenterNetHead.forward_single, self.heads, features)

    def loss_by_feat(self, center_heatmap_preds: list[Tensor],
                     wh_preds: list[Tensor], offset_preds: list[Tensor],
                     *targets: Any) -> dict[str, Tensor]:
        """Compute MMDetection's three losses of every stack.

        Args:
            center_heatmap_preds: S of (B, num_classes, H, W).
            wh_preds: S of (B, 2, H, W).
            offset_preds: S of (B, 2, H, W).
            targets: of the batch, as MMDetection's head takes them.

        Returns:
            Scalars ``loss_center_heatmap_stack_i``, ``loss_wh_stack_i`` and
            ``loss_offset_stack_i`` for stacks i from 1.
        """
        losses = {}
        stacks = zip(self.heads, center_heatmap_preds, wh_preds, offset_preds)
        for number, (head, *maps) in enumerate(stacks, 1):
            of_stack = head.loss_by_feat(*([each] for each in maps), *targets)
            losses.update({
                f'{name}_stack_{number}': loss
                for name, loss in of_stack.items()
            })
        return losses

    def predict_by_feat(self, center_heatmap_preds: list[Tensor],
                        wh_preds: list[Tensor], offset_preds: list[Tensor],
                        *arguments: Any, **options: Any) -> list:
        """Boxes from the last stack's predictions, by MMDetection's head.

        Args:
            center_heatmap_preds: S of (B, num_classes, H, W).
            wh_preds: S of (B, 2, H, W).
            offset_preds: S of (B, 2, H, W).
            arguments: of the images, as MMDetection's head takes them.
            options: ``rescale``, ``with_nms``.

        Returns:
            One ``InstanceData`` an image: ``bboxes`` (N, 4) in pixels,
            ``scores`` (N, ) and ``labels`` (N, ).
        """
        return self.heads[-1].predict_by_feat(
            center_heatmap_preds[-1:], wh_preds[-1:], offset_preds[-1:],
            *arguments, **options)
