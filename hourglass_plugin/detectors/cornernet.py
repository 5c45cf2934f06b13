"""CornerNet and CentripetalNet on stacked hourglasses.

Sources: Law and Deng, "CornerNet: Detecting Objects as Paired Keypoints",
ECCV 2018 (arXiv:1808.01244); Dong et al., "CentripetalNet: Pursuing
High-quality Keypoint Pairs for Object Detection", CVPR 2020
(arXiv:2003.09119). Both are MMDetection's; here they are only checked.
"""
from typing import Any

from mmdet.models.dense_heads import CentripetalHead
from mmdet.models.detectors import CornerNet
from mmdet.registry import MODELS

from ..compat.imports import has_mmcv_operators
from .single_stage import OnStacks


# MMDetection's own name, too: whoever puts the hourglass into one of its
# configs gets the same check.
@MODELS.register_module(name=['HourglassCornerNet', 'CornerNet'], force=True)
class HourglassCornerNet(OnStacks, CornerNet):
    """MMDetection's CornerNet, which refuses a head that does not fit.

    Its head is MMDetection's ``CornerHead`` or ``CentripetalHead``. It stands
    in for ``CornerNet`` in MMDetection's registry, too.

    Raises:
        ValueError: if backbone and head do not fit.
        ModuleNotFoundError: if mmcv lacks an operator that the head needs.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if (isinstance(self.bbox_head, CentripetalHead)
                and not has_mmcv_operators()):
            raise ModuleNotFoundError(
                "CentripetalHead needs mmcv's compiled deformable "
                'convolution, in training, too: install the full mmcv in '
                'place of mmcv-lite',
                name='mmcv._ext')
