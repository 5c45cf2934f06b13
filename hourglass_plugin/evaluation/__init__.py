"""Percentage of correct keypoints: pure functions and mmengine metrics."""
from .metrics import PCKhMetric, TorsoPCKMetric
from .pck import mean_pck, normalized_distances, pck

__all__ = [
    'PCKhMetric', 'TorsoPCKMetric', 'mean_pck', 'normalized_distances', 'pck'
]
