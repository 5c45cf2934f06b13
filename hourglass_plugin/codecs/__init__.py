"""Keypoints to heatmaps and back."""
from .heatmap import (FLICHeatmap, HourglassHeatmap, LSPHeatmap, MPIIHeatmap,
                      decode_heatmaps, encode_heatmaps)

__all__ = [
    'HourglassHeatmap', 'MPIIHeatmap', 'FLICHeatmap', 'LSPHeatmap',
    'encode_heatmaps', 'decode_heatmaps'
]
