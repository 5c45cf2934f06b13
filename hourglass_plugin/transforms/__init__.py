"""From a photograph to the crop, augmented as in the paper and its code."""
from ..registration import register_with

register_with('mmpose')

from .augmentation import (
    PaperScaleRotation,
    RandomChannelGain,
    RandomHorizontalFlip,
    TorchCodeScaleRotation,
)
from .crop import TopdownCrop
from .seeding import SeedAugmentation

__all__ = [
    'TopdownCrop',
    'PaperScaleRotation',
    'RandomChannelGain',
    'RandomHorizontalFlip',
    'SeedAugmentation',
    'TorchCodeScaleRotation'
]
