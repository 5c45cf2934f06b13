"""Backbones and heads that do not fit are refused when they are built."""
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
from hourglass_plugin.models import StackedHourglass

CASES = {
    'more stacks than levels':
    (CORNER_HEAD, dict(num_stacks=4),
     'CornerHead reads num_feat_levels=2 maps, but the backbone returns 4, of '
     'the stacks [0, 1, 2, 3]: set out_stacks=[-2, -1] in the backbone or '
     'num_feat_levels=4 in the head'),
    'more levels than stacks':
    (CORNER_HEAD, dict(num_stacks=1),
     'CornerHead reads num_feat_levels=2 maps, but the backbone returns 1, of '
     'the stacks [0]: set num_stacks=2 in the backbone or num_feat_levels=1 '
     'in the head'),
    'fewer maps than levels':
    (STACKED_HEAD, dict(out_stacks=[-1]),
     'StackedCenterNetHead reads num_feat_levels=2 maps, but the backbone '
     'returns 1, of the stacks [1]: set out_stacks=[-2, -1] in the backbone '
     'or num_feat_levels=1 in the head'),
    "mmdet's head for one map":
    (CENTER_HEAD, {},
     'CenterNetHead reads num_feat_levels=1 maps, but the backbone returns 2, '
     'of the stacks [0, 1]: set out_stacks=[-1] in the backbone or take '
     'StackedCenterNetHead, num_feat_levels=2'),
    'other widths':
    (dict(CORNER_HEAD, in_channels=12), {},
     'CornerHead reads maps of in_channels=12, but the backbone returns 8 '
     'channels: set in_channels=8 in the head or feat_channels=12 in the '
     'backbone'),
    "other widths, mmdet's head for one map":
    (dict(CENTER_HEAD, in_channels=12), dict(num_stacks=1),
     'CenterNetHead reads maps of in_channels=12, but the backbone returns 8 '
     'channels: set in_channels=8 in the head or feat_channels=12 in the '
     'backbone'),
    'heatmaps':
    (dict(CORNER_HEAD, in_channels=16), dict(num_keypoints=16),
     'the backbone returns heatmaps, but CornerHead reads features: leave '
     'num_keypoints=16 out of the backbone'),
}


@pytest.mark.parametrize('type', ['HourglassCornerNet', 'CornerNet'])
@pytest.mark.parametrize('case', CASES)
def test_mismatch(case, type):
    # Every pair is refused by either detector, and under mmdet's own name.
    head, backbone, message = CASES[case]
    if 'Center' in head['type']:
        type = type.replace('Corner', 'Center')
    with pytest.raises(ValueError) as error:
        detector(type, head, **backbone)
    # mmengine puts the class's name before the message.
    assert str(error.value).endswith(message)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('num_feat_levels', [0, True, '2'])
def test_no_levels(num_feat_levels):
    with pytest.raises(ValueError, match='positive integer, but it is '):
        build(dict(STACKED_HEAD, num_feat_levels=num_feat_levels))


@pytest.mark.parametrize('type, head, backbone', [
    ('CornerNet', CORNER_HEAD, {}),
    ('CornerNet', CORNER_HEAD, dict(num_stacks=4, out_stacks=[1, 3])),
    ('CenterNet', STACKED_HEAD, dict(num_stacks=3, out_stacks=[-2, -1])),
    ('CenterNet', CENTER_HEAD, dict(out_stacks=[-1])),
])
def test_every_level_reads_its_stack(type, head, backbone):
    torch.manual_seed(0)
    model = detector(type, head, **backbone).eval()
    image = torch.rand(1, 3, 127, 127)
    seen = []
    levels = {
        'CornerHead': lambda: model.bbox_head.tl_pool,
        'StackedCenterNetHead':
        lambda: [each.heatmap_head for each in model.bbox_head.heads],
        'CenterNetHead': lambda: [model.bbox_head.heatmap_head],
    }[head['type']]()
    returned = []
    for level in levels:
        level.register_forward_hook(
            lambda module, inputs, output: seen.append(inputs[0]))
    model.backbone.register_forward_hook(
        lambda module, inputs, output: returned.extend(output))
    with torch.no_grad():
        model(image)
    assert len(seen) == len(returned) == len(levels)
    # In rows in memory, without which mmdet's heads find no boxes.
    assert all(map_.is_contiguous() and torch.equal(map_, features)
               for map_, features in zip(seen, returned))
    # The second route: all stacks of a network with these weights.
    settings = {**backbone, 'out_stacks': None}
    network = StackedHourglass(**{
        'num_stacks': 2, 'feat_channels': CHANNELS, **settings}).eval()
    network.load_state_dict(model.backbone.state_dict())
    with torch.no_grad():
        stacks = network(image)
    chosen = backbone.get('out_stacks', range(len(stacks)))
    assert all(
        torch.equal(features, stacks[index])
        for features, index in zip(returned, chosen))


def test_other_backbones_are_left_alone():
    # One of mmdet's own, with a head for half of what it returns.
    model = build(
        dict(
            type='CornerNet',
            backbone=dict(
                type='HourglassNet',
                downsample_times=1,
                stage_channels=[8, 8],
                stage_blocks=[1, 1],
                feat_channel=8),
            bbox_head=dict(CORNER_HEAD, num_feat_levels=1)))
    assert len(model.backbone(torch.rand(1, 3, 16, 16))) == 2


def test_a_neck_reads_what_it_likes():
    model = build(
        dict(
            type='CenterNet',
            backbone=dict(
                type='StackedHourglass',
                num_stacks=2,
                feat_channels=CHANNELS),
            neck=dict(
                type='ChannelMapper',
                in_channels=[CHANNELS] * 2,
                out_channels=4,
                num_outs=2),
            bbox_head=dict(STACKED_HEAD, in_channels=4)))
    maps = model.extract_feat(torch.rand(2, 3, 64, 64))
    assert [tuple(each.shape) for each in maps] == [(2, 4, 16, 16)] * 2
