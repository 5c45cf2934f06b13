"""CornerNet, CentripetalNet and CenterNet on the stacked hourglass.

Import it to register the detectors and their head in MMDetection; in a
config: ``custom_imports = dict(imports=['hourglass_plugin',
'hourglass_plugin.detectors'])``. ``import hourglass_plugin`` does not import
it: nothing else needs MMDetection.
"""
from ..compat.imports import import_mmdet

import_mmdet()

from .centernet_head import StackedCenterNetHead
from .stacked_detectors import HourglassCenterNet, HourglassCornerNet

__all__ = ['HourglassCenterNet', 'HourglassCornerNet', 'StackedCenterNetHead']
