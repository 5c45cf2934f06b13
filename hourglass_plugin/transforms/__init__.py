"""From an image file to the augmented crop of one person."""
from ..registration import register_with

register_with('mmpose')

from .augmentation import (
    RandomChannelGain,
    RandomHorizontalFlip,
    RandomScaleRotation,
    SeedAugmentation,
)
from .crop import TopdownCrop

__all__ = [
    'RandomChannelGain',
    'RandomHorizontalFlip',
    'RandomScaleRotation',
    'SeedAugmentation',
    'TopdownCrop'
]
