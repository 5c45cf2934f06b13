"""Data sets for MMPose's runner; files of all kinds end in 0-based pixels."""
from .own_keypoints import OwnKeypointsDataset
from .pose_datasets import FLICDataset, LSPDataset, MPIIDataset
from .samplers import SeededSampler

__all__ = [
    'FLICDataset',
    'LSPDataset',
    'MPIIDataset',
    'OwnKeypointsDataset',
    'SeededSampler'
]
