"""The weights that come with the package; README.md beside them is their card.

A pose network, which finds MPII's 16 joints of a person, and a person
detector: what ``hourglass predict`` uses by default.
"""
from pathlib import Path
from typing import NamedTuple

from ..resources import config_path

_POSE_FILE = 'people_hg2_192x192.pth'
_POSE_CONFIG = 'td-hm_hg2-w128_1xb16-7e_people-192x192.py'
_DETECTOR_FILE = 'person_centernet_hg1.pth'


class ShippedWeights(NamedTuple):
    """A checkpoint and what it is a checkpoint of."""

    config: str  #: path of the config
    checkpoint: str  #: path of the file


def shipped_weights() -> ShippedWeights:
    """Return the paths of the pose network's weights and config.

    Raises:
        FileNotFoundError: if the package was copied without them.
    """
    return ShippedWeights(config_path(_POSE_CONFIG), _path(_POSE_FILE))


def shipped_detector() -> str:
    """Return the path of the person detector's weights.

    Raises:
        FileNotFoundError: if the package was copied without them.
    """
    return _path(_DETECTOR_FILE)


def _path(name: str) -> str:
    path = Path(__file__).absolute().parent / name
    if not path.is_file():
        raise FileNotFoundError(
            f'there is no {path}: the package was copied without its weights; '
            'install it with pip')
    return str(path)
