"""Datasets and sampler for MMPose's runner, in 0-based pixels."""
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
    'CustomKeypointDataset',
    'HourglassFLICDataset',
    'HourglassLSPDataset',
    'HourglassMPIIDataset',
    'SeededSampler'
]
