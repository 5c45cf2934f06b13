"""Percentage of correct keypoints: pure functions and mmengine metrics."""
from ..registration import register_with

register_with('mmpose')

from .files.submissions import OfficialPredictionFile
from .metrics import BoxPCKMetric, PCKhMetric, TorsoPCKMetric

__all__ = [
    'BoxPCKMetric', 'OfficialPredictionFile', 'PCKhMetric', 'TorsoPCKMetric']
