"""Restrict mmengine's checkpoint loader in this process.

Importing this module makes every load through mmengine (``Runner``,
``init_model``, pretrained weights) one by
:func:`hourglass_plugin.compat.restricted.load_restricted`. A config asks for
it visibly::

    custom_imports = dict(imports=[
        'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints'])

May go when mmengine restricts its loader itself.
"""
from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from .restricted import load_restricted


def load_checkpoint(cls: type, filename: str, map_location: Any = None,
                    logger: Any = 'current') -> Any:
    """Load a checkpoint of tensors and mmengine's own classes."""
    return load_restricted(filename, map_location, logger)


CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
