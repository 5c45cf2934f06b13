"""Data sets for MMPose's runner; annotation files end here in 0-based pixels.
"""
from .pose_datasets import FLICDataset, LSPDataset, MPIIDataset
from .samplers import SeededSampler

__all__ = ['MPIIDataset', 'FLICDataset', 'LSPDataset', 'SeededSampler']
