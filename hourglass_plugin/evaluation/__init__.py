"""Percentage of correct keypoints: pure functions and mmengine metrics."""
from ..registration import register_with

register_with('mmpose')

from .files.submissions import OfficialPredictionFile
from .metrics import (
    BoxPCKMetric,
    PCKhMetric,
    PredictionDump,
    TorsoPCKMetric,
)
from .pck import (
    area_under_curve,
    curve_thresholds,
    mean_pck,
    normalized_distances,
    pck,
    pck_curve,
)

__all__ = [
    'BoxPCKMetric', 'OfficialPredictionFile', 'PCKhMetric', 'PredictionDump',
    'TorsoPCKMetric', 'area_under_curve', 'curve_thresholds', 'mean_pck',
    'normalized_distances', 'pck', 'pck_curve'
]
