"""From a photograph to the crop, augmented as in the paper and its code."""
from .augmentation import (
    PaperScaleRotation,
    RandomChannelGain,
    RandomMirror,
    TorchCodeScaleRotation,
)
from .crop import CropPerson
from .seeding import SeedAugmentation

__all__ = [
    'CropPerson',
    'PaperScaleRotation',
    'RandomChannelGain',
    'RandomMirror',
    'SeedAugmentation',
    'TorchCodeScaleRotation'
]
