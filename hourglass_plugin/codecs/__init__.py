"""Keypoints to heatmaps and back."""
from ..registration import register_with

register_with('mmpose')

from .associative_embedding import TrainableAssociativeEmbedding
from .codec import FLICHeatmap, HourglassHeatmap, LSPHeatmap, MPIIHeatmap
from .heatmaps import (
    decode_heatmaps,
    draw_heatmaps,
    encode_heatmaps,
    heatmap_maximum,
)

__all__ = [
    'FLICHeatmap',
    'HourglassHeatmap',
    'LSPHeatmap',
    'MPIIHeatmap',
    'TrainableAssociativeEmbedding',
    'decode_heatmaps',
    'draw_heatmaps',
    'encode_heatmaps',
    'heatmap_maximum'
]
