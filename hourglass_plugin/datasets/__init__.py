"""Data sets for MMPose's runner; files of all kinds end in 0-based pixels."""
from ..registration import register_with

register_with('mmpose')

from .custom_dataset import CustomKeypointDataset
from .pose_datasets import (
    HourglassFLICDataset,
    HourglassLSPDataset,
    HourglassMPIIDataset,
)
from .samplers import SeededSampler

__all__ = [
    'HourglassFLICDataset',
    'HourglassLSPDataset',
    'HourglassMPIIDataset',
    'CustomKeypointDataset',
    'SeededSampler'
]
