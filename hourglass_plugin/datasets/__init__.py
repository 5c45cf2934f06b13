"""Data sets for MMPose's runner; annotation files end here in 0-based pixels.
"""
from .own_keypoints import OwnKeypointsDataset
from .pose_datasets import FLICDataset, LSPDataset, MPIIDataset
from .samplers import SeededSampler

__all__ = [
    'MPIIDataset', 'FLICDataset', 'LSPDataset', 'OwnKeypointsDataset',
    'SeededSampler'
]
