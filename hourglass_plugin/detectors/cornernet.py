"""CornerNet and CentripetalNet on stacked hourglasses.

Sources: Law and Deng, "CornerNet: Detecting Objects as Paired Keypoints",
ECCV 2018 (arXiv:1808.01244); Dong et al., "CentripetalNet: Pursuing
High-quality Keypoint Pairs for Object Detection", CVPR 2020
(arXiv:2003.09119). Both are MMDetection's; here they are only checked.
"""
from typing import Any, Optional

from mmdet.models.dense_heads import CentripetalHead
from mmdet.models.detectors import CornerNet
from mmdet.registry import MODELS
from mmengine.utils.dl_utils import mmcv_full_available

from .levels import check_levels


# MMDetection's own name, too: whoever puts the hourglass into one of its
# configs gets the same check.
@MODELS.register_module(name=['HourglassCornerNet', 'CornerNet'], force=True)
class HourglassCornerNet(CornerNet):
    """MMDetection's CornerNet, which refuses a head that does not fit.

    It stands in for ``CornerNet`` in MMDetection's registry, too. With any
    other backbone, or a neck, it is MMDetection's own.

    Args:
        backbone: config of a ``StackedHourglass`` that returns as many maps
            as the head has levels, see ``out_stacks``.
        neck: none, as a rule.
        bbox_head: config of MMDetection's ``CornerHead`` or
            ``CentripetalHead``.
        arguments: MMDetection's other arguments.

    Raises:
        ValueError: if backbone and head do not fit.
        ModuleNotFoundError: if mmcv lacks an operator that the head needs.
    """

    def __init__(self,
                 backbone: dict,
                 neck: Optional[dict] = None,
                 bbox_head: Optional[dict] = None,
                 **arguments: Any) -> None:
        super().__init__(backbone, neck, bbox_head, **arguments)
        if not self.with_neck:
            check_levels(self.backbone, self.bbox_head)
        if (isinstance(self.bbox_head, CentripetalHead)
                and not mmcv_full_available()):
            raise ModuleNotFoundError(
                "CentripetalHead needs mmcv's compiled deformable "
                'convolution, in training, too: install the full mmcv in '
                'place of mmcv-lite',
                name='mmcv._ext')
