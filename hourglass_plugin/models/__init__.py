"""The network, which needs torch and mmengine only.

The head for MMPose is in ``head`` and is not imported from here.
"""
from ..registration import register_with

register_with('mmengine')

from .stacked_hourglass import SIZES, StackedHourglass

__all__ = ['SIZES', 'StackedHourglass']
