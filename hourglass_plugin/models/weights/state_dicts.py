"""Weights of published PyTorch ports under our names.

Which ports, and how their tensors are named, is in
:mod:`hourglass_plugin.models.layouts`.
"""
import logging
from collections.abc import Mapping

import torch
from torch import Tensor

from ..stacked_hourglass import StackedHourglass
from .key_maps import (
    Converted,
    check_complete,
    read_arguments,
    rename_weights,
    unwrap,
)
from .loading import describe_unused

logger = logging.getLogger('hourglass_plugin')


def convert_state_dict(state_dict: Mapping) -> dict[str, Tensor]:
    """Rename a published port's weights to those of :class:`StackedHourglass`.

    Wrappers (``state_dict`` and the like) and prefixes (``module.``,
    ``model.``) are taken off. Tensors that the port never uses are dropped
    and named in the log. Every other tensor must find its place.

    Args:
        state_dict: what the checkpoint holds.

    Returns:
        A state dict that ``StackedHourglass(**read_arguments(it))`` loads
        with ``strict=True``. The tensors are the given ones, not copies.

    Raises:
        ValueError: if the layout is unknown, or tensors are missing, left
            over or of another shape; names them.
    """
    converted = convert(state_dict)
    if converted.unused:
        logger.info('%s', describe_unused(converted.unused))
    return converted.weights


def convert(state_dict: Mapping) -> Converted:
    """What :func:`convert_state_dict` does, and what it found out.

    Args:
        state_dict: what the checkpoint holds.

    Raises:
        ValueError: as :func:`convert_state_dict`.
    """
    converted = rename_weights(unwrap(state_dict))
    with torch.device('meta'):  # a network that has no memory yet
        network = StackedHourglass(**read_arguments(converted.weights))
    check_complete(converted, network.state_dict())
    return converted
