"""Data sets for MMPose's runner; annotation files end here in 0-based pixels.
"""
from .pose_datasets import LSPDataset, MPIIDataset

__all__ = ['MPIIDataset', 'LSPDataset']
