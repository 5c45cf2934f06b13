"""The stacked hourglass of Newell et al. (ECCV 2016) for OpenMMLab.

Importing the package registers its classes and changes nothing else; in a
config, ``custom_imports = dict(imports=['hourglass_plugin'])`` does it. See
:mod:`hourglass_plugin.registration`.
"""
from typing import Any

from .pipelines import with_codec
from .registration import register
from .resources import config_path

__version__ = '0.1.0'
__all__ = ['PosePredictor', '__version__', 'config_path', 'with_codec']

register()


def __getattr__(name: str) -> Any:
    """Import the predictor, and MMPose with it, when it is asked for."""
    if name == 'PosePredictor':
        from .inference.predictor import PosePredictor
        return PosePredictor
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
