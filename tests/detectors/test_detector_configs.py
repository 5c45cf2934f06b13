"""Configs of detectors: a training step at full size, and maps of tests."""
from pathlib import Path

import pytest

pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists mmdet')

import torch
from mmengine.config import Config
from small_detectors import build, sample, total, without_gradient

from hourglass_plugin.compat.imports import has_mmcv_operators
from hourglass_plugin.models.stacked_hourglass import StackedHourglass

CONFIGS = {
    path.stem: path
    for path in (Path(__file__).parents[2] / 'configs' /
                 'detection').rglob('*.py')}
COCO = [name for name in CONFIGS if name.endswith('_coco')]


def load(name):
    config = Config.fromfile(str(CONFIGS[name]))
    if (config.model.bbox_head.type == 'CentripetalHead'
            and not has_mmcv_operators()):
        pytest.skip('CentripetalHead needs the full mmcv')
    return config


def narrow(config):
    """The same layers with 8 channels; small on any machine."""
    config.model.backbone.feat_channels = 8
    config.model.bbox_head.in_channels = 8
    if 'feat_channels' in config.model.bbox_head:
        config.model.bbox_head.feat_channels = 8
    torch.manual_seed(0)
    return build(config.model)


@pytest.mark.parametrize('name', CONFIGS)
def test_config_builds(name):
    config = load(name)
    with torch.device('meta'):  # shapes only
        model = build(config.model)
    assert type(model).__module__.startswith('hourglass_plugin.detectors.')
    assert isinstance(model.backbone, StackedHourglass)
    assert not model.with_neck
    assert model.bbox_head.test_cfg == config.model.test_cfg


@pytest.mark.parametrize('name', COCO)
def test_a_training_step_at_511_and_maps_of_a_quarter(name):
    config = load(name)
    levels = config.model.bbox_head.num_feat_levels
    [resize] = [
        step for step in config.train_dataloader.dataset.pipeline
        if step.type == 'Resize']
    assert tuple(resize.scale) == (511, 511)
    model = narrow(config)
    model.init_weights()
    boxes = sample(511, 511, [[20, 30, 90, 100], [200, 10, 500, 340]],
                   [3, 79])
    losses = model(torch.randn(1, 3, 511, 511), [boxes], mode='loss')
    parts = sum(
        len(loss) if isinstance(loss, list) else 1 for loss in losses.values())
    assert parts % levels == 0
    total(losses).backward()
    assert without_gradient(model) == []
    for size in ((511, 511), (383, 255)):
        with torch.no_grad():
            outputs = model.eval()(torch.randn(1, 3, *size))
        cells = tuple((side + 1) // 4 for side in size)
        for kind in outputs:  # heatmaps, embeddings, offsets, ...
            assert len(kind) == levels
            assert {each.shape[2:]
                    for each in kind if each is not None} <= {cells}
