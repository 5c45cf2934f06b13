"""Normalisation layers from ``norm_cfg``."""
import copy

import pytest
from mmengine.registry import MODELS
from torch import nn

from hourglass_plugin.models.norm import build_norm


class LayerForTest(nn.BatchNorm2d):
    """A user's own."""


MODELS.register_module('LayerForTest', module=LayerForTest)


@pytest.mark.parametrize('norm_cfg, layer', [
    (None, nn.BatchNorm2d(8)),
    (dict(type='BN'), nn.BatchNorm2d(8)),
    (dict(type='BN2d', eps=1e-3), nn.BatchNorm2d(8, eps=1e-3)),
    (dict(type='SyncBN', affine=False), nn.SyncBatchNorm(8, affine=False)),
    (dict(type='GN', num_groups=2, eps=1e-3), nn.GroupNorm(2, 8, eps=1e-3)),
    (dict(type='IN', affine=True), nn.InstanceNorm2d(8, affine=True)),
    (dict(type='LayerForTest', momentum=0.3), LayerForTest(8, momentum=0.3)),
], ids=str)
def test_layers_are_built_with_their_options(norm_cfg, layer):
    given = copy.copy(norm_cfg)
    # The representation lists every option.
    assert repr(build_norm(norm_cfg, 8)) == repr(layer)
    assert norm_cfg == given
    if norm_cfg and norm_cfg['type'] != 'LayerForTest':
        mmcv_cnn = pytest.importorskip('mmcv.cnn')
        assert repr(layer) == repr(mmcv_cnn.build_norm_layer(norm_cfg, 8)[1])


@pytest.mark.parametrize('norm_cfg', [
    {}, dict(type='Batch'), dict(type=nn.BatchNorm2d), dict(type='GN'),
    dict(type='GN', num_groups=3)], ids=str)
def test_bad_config_is_refused(norm_cfg):
    with pytest.raises(ValueError):
        build_norm(norm_cfg, 8)
