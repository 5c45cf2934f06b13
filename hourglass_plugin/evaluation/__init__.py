"""Percentage of correct keypoints: pure functions and mmengine metrics."""
from .dump import PredictionDump
from .metrics import BoxPCKMetric, PCKhMetric, TorsoPCKMetric
from .official_files import OfficialPredictionFile
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
