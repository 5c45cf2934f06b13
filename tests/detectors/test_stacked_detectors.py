"""Backbone and head of a detector fit, or are refused when they are built."""
import pytest

pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists mmdet')

import torch
from small_detectors import (
    CENTER_HEAD,
    CHANNELS,
    CORNER_HEAD,
    STACKED_HEAD,
    build,
    detector,
)

import hourglass_plugin.detectors  # noqa: F401


@pytest.mark.parametrize('head, backbone, solutions', [
    (CORNER_HEAD, dict(num_stacks=4), ['out_stacks=[-2, -1]', 'levels=4']),
    (CORNER_HEAD, dict(num_stacks=1), ['levels=1']),
    (STACKED_HEAD, dict(out_stacks=[-1]), ['out_stacks=[-2, -1]', 'levels=1']),
    (CENTER_HEAD, {}, ['out_stacks=[-1]', 'StackedCenterNetHead']),
    (dict(CORNER_HEAD, in_channels=12), {}, ['in_channels=8', 'channels=12']),
    (dict(CENTER_HEAD, in_channels=12), dict(num_stacks=1),
     ['in_channels=8', 'feat_channels=12']),
    (dict(CORNER_HEAD, in_channels=16), dict(num_keypoints=16),
     ['num_keypoints=16'])])
def test_mismatch_is_refused_with_the_settings_that_fit(
        head, backbone, solutions):
    kind = 'Center' if 'Center' in head['type'] else 'Corner'
    with pytest.raises(ValueError) as error:
        detector(f'Hourglass{kind}Net', head, **backbone)
    assert all(setting in str(error.value) for setting in solutions)


@pytest.mark.parametrize('type, head, backbone', [
    ('HourglassCornerNet', CORNER_HEAD, dict(num_stacks=4,
                                             out_stacks=[1, 3])),
    ('HourglassCenterNet', STACKED_HEAD, dict(
        num_stacks=3, out_stacks=[-2, -1])),
    ('HourglassCenterNet', CENTER_HEAD, dict(out_stacks=[-1]))])
def test_every_level_reads_its_stack(type, head, backbone):
    torch.manual_seed(0)
    model = detector(type, head, **backbone).eval()
    image = torch.rand(1, 3, 127, 127)
    seen, returned = [], []
    levels = {
        'CornerHead': lambda: model.bbox_head.tl_pool,
        'StackedCenterNetHead':
        lambda: [each.heatmap_head for each in model.bbox_head.heads],
        'CenterNetHead': lambda: [model.bbox_head.heatmap_head],
    }[head['type']]()
    for level in levels:
        level.register_forward_hook(
            lambda module, inputs, output: seen.append(inputs[0]))
    model.backbone.register_forward_hook(
        lambda module, inputs, output: returned.extend(output))
    with torch.no_grad():
        model(image)
    assert len(seen) == len(returned) == len(levels)
    # Contiguous, without which MMDetection's heads find no boxes.
    assert all(map_.is_contiguous() and torch.equal(map_, features)
               for map_, features in zip(seen, returned))


def test_other_backbones_and_necks_are_not_checked():
    # One of mmdet's own, with a head for half of its maps.
    model = build(dict(
        type='HourglassCornerNet',
        backbone=dict(
            type='HourglassNet', downsample_times=1, stage_channels=[8, 8],
            stage_blocks=[1, 1], feat_channel=8),
        bbox_head=dict(CORNER_HEAD, num_feat_levels=1)))
    assert len(model.backbone(torch.rand(1, 3, 16, 16))) == 2
    mapper = dict(type='ChannelMapper', in_channels=[CHANNELS] * 2,
                  out_channels=4, num_outs=2)
    model = detector(
        'HourglassCenterNet', dict(STACKED_HEAD, in_channels=4), mapper)
    maps = model.extract_feat(torch.rand(2, 3, 64, 64))
    assert [tuple(each.shape) for each in maps] == [(2, 4, 16, 16)] * 2
