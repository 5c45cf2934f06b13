"""Keypoints to heatmaps and back."""
from .associative_embedding import TrainableAssociativeEmbedding
from .gaussians import (
    decode_heatmaps,
    draw_heatmaps,
    encode_heatmaps,
    find_peaks,
)
from .heatmap import FLICHeatmap, HourglassHeatmap, LSPHeatmap, MPIIHeatmap

__all__ = [
    'FLICHeatmap',
    'HourglassHeatmap',
    'LSPHeatmap',
    'MPIIHeatmap',
    'TrainableAssociativeEmbedding',
    'decode_heatmaps',
    'draw_heatmaps',
    'encode_heatmaps',
    'find_peaks'
]
