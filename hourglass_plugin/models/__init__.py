"""The network. It needs torch and mmengine only; the head for MMPose is in
``heatmap_head`` and is not imported from here."""
from .stacked_hourglass import SIZES, NetworkSize, StackedHourglass

__all__ = ['StackedHourglass', 'SIZES', 'NetworkSize']
