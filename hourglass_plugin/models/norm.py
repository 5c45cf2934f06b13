"""Normalisation layers from OpenMMLab's ``norm_cfg``, without needing mmcv."""

from mmengine.registry import MODELS
from torch import nn

# The names that mmcv registers, so that a config means the same with and
# without mmcv; any other name is looked up in mmengine's registry.
_NORM_LAYERS = {
    'BN': nn.BatchNorm2d,
    'BN2d': nn.BatchNorm2d,
    'SyncBN': nn.SyncBatchNorm,
    'GN': nn.GroupNorm,
    'IN': nn.InstanceNorm2d}


def build_norm(norm_cfg: dict | None, channels: int) -> nn.Module:
    """Build one normalisation layer.

    Args:
        norm_cfg: ``dict(type='BN')`` by default; ``SyncBN``, ``GN`` (with
            ``num_groups``), ``IN`` or a layer in mmengine's ``MODELS``.
            ``requires_grad=False`` freezes it; other settings are the layer's.
        channels: number of channels that are normalised.

    Raises:
        ValueError: if the type is missing or unknown, or does not fit
            ``channels``.
    """
    options = dict({'type': 'BN'} if norm_cfg is None else norm_cfg)
    name = options.pop('type', None)
    layer = isinstance(name, str) and (
        _NORM_LAYERS.get(name) or MODELS.get(name))
    if not layer:
        raise ValueError(
            f'norm_cfg has type {name!r}; known are '
            f'{", ".join(_NORM_LAYERS)} and layers registered in MODELS')
    requires_grad = options.pop('requires_grad', True)
    if layer is nn.GroupNorm:
        groups = options.get('num_groups', 0)
        if groups < 1 or channels % groups:
            raise ValueError(
                f"norm_cfg of type 'GN' needs num_groups, a divisor of all "
                f'widths of the network such as {channels}, but has {groups}')
        norm = layer(num_channels=channels, **options)
    else:
        norm = layer(channels, **options)
    for parameter in norm.parameters():
        parameter.requires_grad_(requires_grad)
    return norm
