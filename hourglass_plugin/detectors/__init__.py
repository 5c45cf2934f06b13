"""The hourglass in MMDetection's CornerNet, CentripetalNet and CenterNet.

Importing it registers the detectors and their head in MMDetection; in a
config, ``custom_imports = dict(imports=['hourglass_plugin',
'hourglass_plugin.detectors'])`` does it. ``import hourglass_plugin`` does not
import it: nothing else needs MMDetection.
"""
from ..compat.imports import import_mmdet

import_mmdet()

from .centernet import HourglassCenterNet, StackedCenterNetHead
from .cornernet import HourglassCornerNet

__all__ = ['HourglassCenterNet', 'HourglassCornerNet', 'StackedCenterNetHead']
