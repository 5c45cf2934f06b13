"""Normalisation layers from ``norm_cfg``."""
import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from hourglass_plugin.models.norm import build_norm


@pytest.mark.parametrize('norm_cfg, layer', [
    (None, nn.BatchNorm2d),
    (dict(type='BN'), nn.BatchNorm2d),
    (dict(type='BN2d'), nn.BatchNorm2d),
    (dict(type='SyncBN'), nn.SyncBatchNorm),
    (dict(type='GN', num_groups=2), nn.GroupNorm),
    (dict(type='IN'), nn.InstanceNorm2d),
])
def test_types(norm_cfg, layer):
    norm = build_norm(norm_cfg, 8)
    assert type(norm) is layer
    assert (norm.num_channels
            if layer is nn.GroupNorm else norm.num_features) == 8


@pytest.mark.parametrize('norm_cfg', [
    dict(type='BN', eps=1e-3, momentum=0.3),
    dict(type='SyncBN', affine=False),
    dict(type='GN', num_groups=4, eps=1e-3),
    dict(type='IN', affine=True),
])
def test_same_layer_as_mmcv(norm_cfg):
    mmcv_cnn = pytest.importorskip('mmcv.cnn')
    # The representation lists every option, so that none can be lost.
    assert repr(build_norm(norm_cfg, 8)) == repr(
        mmcv_cnn.build_norm_layer(norm_cfg, 8)[1])


@pytest.mark.parametrize('requires_grad', [True, False])
@pytest.mark.parametrize(
    'norm_cfg',
    [dict(type='BN'), dict(type='GN', num_groups=2)])
def test_requires_grad(norm_cfg, requires_grad):
    norm = build_norm(dict(norm_cfg, requires_grad=requires_grad), 8)
    assert [p.requires_grad for p in norm.parameters()] == [requires_grad] * 2


def test_config_is_not_changed():
    norm_cfg = dict(type='GN', num_groups=2, requires_grad=False)
    build_norm(norm_cfg, 8)
    assert norm_cfg == dict(type='GN', num_groups=2, requires_grad=False)


def test_registered_layer():

    class Doubling(nn.Module):

        def __init__(self, channels, factor):
            super().__init__()
            self.channels, self.factor = channels, factor

        def forward(self, x):
            return self.factor * x

    MODELS.register_module('DoublingForTest', module=Doubling, force=True)
    norm = build_norm(dict(type='DoublingForTest', factor=2.), 8)
    assert (norm.channels, norm.factor) == (8, 2.)
    assert norm(torch.ones(1)).item() == 2.


@pytest.mark.parametrize('norm_cfg', [
    {},
    dict(requires_grad=False),
    dict(type='Batch'),
    dict(type=nn.BatchNorm2d),
    dict(type='GN'),
    dict(type='GN', num_groups=3),
    dict(type='GN', num_groups=0),
], ids=str)
def test_bad_config_is_refused(norm_cfg):
    with pytest.raises(ValueError, match='norm_cfg|num_groups'):
        build_norm(norm_cfg, 8)
