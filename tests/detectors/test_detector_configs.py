"""Configs of detectors: sizes, and a step of training at each."""
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists mmdet')

import torch
from mmdet.registry import TRANSFORMS
from mmengine.config import Config
from small_detectors import build, sample, total, unlearnt

from hourglass_plugin.compat.imports import has_mmcv_operators
from hourglass_plugin.models import StackedHourglass
from hourglass_plugin.resources import config_path

ROOT = Path(__file__).resolve().parents[2] / 'configs/detection'
CONFIGS = sorted(path.stem for path in ROOT.glob('*/*.py'))
COCO = [name for name in CONFIGS if name.endswith('_coco')]


def load(name):
    return Config.fromfile(config_path(f'{name}.py'))


def skip_without_operators(config):
    if (config.model.bbox_head.type == 'CentripetalHead'
            and not has_mmcv_operators()):
        pytest.skip('CentripetalHead needs the full mmcv')


def narrow(model):
    """Few channels: the same layers, quick on any machine."""
    # With 8 channels the backward pass of 1x1 convolutions of stride 2 crashes
    # on processors (oneDNN, torch 2.1 to 2.13, channels innermost); the stem
    # of CornerNet's form has half.
    channels = 32 if 'form' in model.backbone else 8
    model.backbone.feat_channels = channels
    model.bbox_head.in_channels = channels
    if 'feat_channels' in model.bbox_head:
        model.bbox_head.feat_channels = channels


def test_there_are_configs():
    assert {name.split('_')[0] for name in COCO} == {
        'centernet', 'centripetalnet', 'cornernet'
    }
    assert 'cornernet_hg1-w64_8xb6-210e-mstest_coco' in COCO


@pytest.mark.parametrize('name', CONFIGS)
def test_config_builds(name):
    config = load(name)
    skip_without_operators(config)
    with torch.device('meta'):  # shapes only
        model = build(config.model)
    assert type(model).__module__.startswith('hourglass_plugin.detectors.')
    assert isinstance(model.backbone, StackedHourglass)
    assert not model.with_neck
    assert model.bbox_head.test_cfg == config.model.test_cfg


@pytest.mark.parametrize('name', COCO)
def test_sizes_are_cornernets(name):
    config = load(name)
    rng = np.random.default_rng(0)
    # Tests: each side up to the next 128k - 1, the picture in the middle. Of
    # an odd side mmdet loses the last pixel.
    [pad] = [
        build(step, TRANSFORMS)
        for step in config.test_dataloader.dataset.pipeline
        if step.type == 'RandomCenterCropPad'
    ]
    for side, padded in ((100, 127), (126, 127), (128, 255), (480, 511),
                         (640, 767)):
        image = rng.integers(0, 255, (side, 300, 3)).astype(np.float32)
        results = pad(dict(img=image, img_shape=image.shape[:2]))
        assert results['img'].shape == (padded, 383, 3)
        top, bottom, left, right = (int(edge) for edge in results['border'])
        assert (bottom - top, right - left) == (side, 300)
        assert np.array_equal(results['img'][top:bottom, left:right], image)
    # Training: whatever was cropped becomes 511x511.
    [resize] = [
        build(step, TRANSFORMS)
        for step in config.train_dataloader.dataset.pipeline
        if step.type == 'Resize'
    ]
    assert resize(dict(img=image))['img'].shape == (511, 511, 3)


@pytest.mark.parametrize('name', COCO)
def test_a_step_of_training_at_511(name):
    config = load(name)
    skip_without_operators(config)
    narrow(config.model)
    torch.manual_seed(0)
    model = build(config.model)
    model.init_weights()
    levels = config.model.bbox_head.num_feat_levels
    image = torch.randn(1, 3, 511, 511)
    boxes = sample(511, 511, [[20, 30, 90, 100], [200, 10, 500, 340]],
                   [3, 79])
    maps = []
    model.backbone.register_forward_hook(
        lambda module, inputs, output: maps.extend(output))
    losses = model(image, [boxes], mode='loss')
    assert [tuple(each.shape) for each in maps
            ] == [(1, model.backbone.out_channels, 128, 128)] * levels
    parts = sum(
        len(loss) if isinstance(loss, list) else 1 for loss in losses.values())
    assert parts % levels == 0
    total(losses).backward()
    assert unlearnt(model) == []


@pytest.mark.parametrize('name', COCO)
@pytest.mark.parametrize('size', [(127, 127), (383, 255)])
def test_maps_of_tests_are_a_quarter(name, size):
    config = load(name)
    skip_without_operators(config)
    narrow(config.model)
    torch.manual_seed(0)
    model = build(config.model).eval()
    levels = config.model.bbox_head.num_feat_levels
    with torch.no_grad():
        outputs = model(torch.randn(1, 3, *size))
    cells = tuple((side + 1) // 4 for side in size)
    for kind in outputs:  # heatmaps, embeddings, offsets, ...: one a level
        assert len(kind) == levels
        assert {each.shape[2:] for each in kind if each is not None} <= {cells}


def test_centripetalnet_with_mmcv_lite_says_what_to_install():
    if has_mmcv_operators():
        pytest.skip('the full mmcv is installed')
    with pytest.raises(ModuleNotFoundError, match='install the full mmcv'):
        build(load('centripetalnet_hg2_16xb6-210e_coco').model)


def test_centernet_finds_boxes_without_nms():
    # With any mmcv: no operator is needed, in tests either.
    config = load('centernet_hg2_8xb6-210e_coco')
    narrow(config.model)
    torch.manual_seed(0)
    model = build(config.model).eval()
    with torch.no_grad():
        [found] = model(
            torch.randn(1, 3, 127, 255), [sample(127, 255, [], [])],
            mode='predict')
    assert found.pred_instances.bboxes.shape == (100, 4)
    scores = found.pred_instances.scores
    assert torch.equal(scores, scores.sort(descending=True).values)
