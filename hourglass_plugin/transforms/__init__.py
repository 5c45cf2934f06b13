"""Augmentation as in the paper and as in its released code."""
from .augmentation import (PaperScaleRotation, RandomChannelGain,
                           TorchCodeScaleRotation)
from .seeding import SeedAugmentation

__all__ = [
    'PaperScaleRotation', 'TorchCodeScaleRotation', 'RandomChannelGain',
    'SeedAugmentation'
]
