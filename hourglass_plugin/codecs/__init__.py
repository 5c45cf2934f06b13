"""Keypoints to heatmaps and back."""
from ..registration import register_with

register_with('mmpose')

from .codec import FLICHeatmap, HourglassHeatmap, LSPHeatmap, MPIIHeatmap
from .heatmaps import decode_heatmaps, draw_heatmaps, heatmap_maximum

__all__ = [
    'FLICHeatmap', 'HourglassHeatmap', 'LSPHeatmap', 'MPIIHeatmap',
    'decode_heatmaps', 'draw_heatmaps', 'heatmap_maximum'
]
