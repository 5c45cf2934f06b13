"""The weights that come with the package; README.md beside them is their card.

They find MPII's 16 joints, and are what ``hourglass predict`` uses by default.
"""
from pathlib import Path
from typing import NamedTuple

from ..resources import config_path

_FILE = 'people_hg2_192x192.pth'
_CONFIG = 'td-hm_hg2-w128_1xb16-6e_people-192x192.py'


class ShippedWeights(NamedTuple):
    """A checkpoint and what it is a checkpoint of."""

    config: str  #: path of the config
    checkpoint: str  #: path of the file


def shipped_weights() -> ShippedWeights:
    """Return the paths of the weights and of their config.

    Raises:
        FileNotFoundError: if the package was copied without them.
    """
    checkpoint = Path(__file__).absolute().parent / _FILE
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f'there is no {checkpoint}: the package was copied without its '
            'weights; install it with pip')
    return ShippedWeights(config_path(_CONFIG), str(checkpoint))
