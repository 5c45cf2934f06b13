"""The weights that come with the package; README.md beside them is their card.

They find the 14 joints of Leeds Sports Pose, and are what
``tools/predict.py`` uses by default.
"""
from pathlib import Path
from typing import NamedTuple

from ..resources import config_path

_FILE = 'lsp_hg2_128x128.pth'
_CONFIG = 'td-hm_hg2-w128_1xb16-30e_lspet-128x128.py'


class ShippedWeights(NamedTuple):
    """A checkpoint and what it is a checkpoint of."""

    config: str  #: path of the config
    checkpoint: str  #: path of the file


def shipped_weights() -> ShippedWeights:
    """Where the weights and their config lie in this installation.

    Raises:
        FileNotFoundError: if the package was copied without them.
    """
    checkpoint = Path(__file__).absolute().parent / _FILE
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f'there is no {checkpoint}: the package was copied without its '
            'weights; install it with pip')
    return ShippedWeights(config_path(_CONFIG), str(checkpoint))


def shipped_detector() -> str | None:
    """Return the path of the person detector's weights, if they are there."""
    path = Path(__file__).absolute().parent / 'person_centernet_hg1.pth'
    return str(path) if path.is_file() else None
