"""docs/detectors.md: its scripts run, its configs build and train a step."""
import math

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample
from page import commands, page_text, python_examples, run_python

from hourglass_plugin.models import SIZES, StackedHourglass

PAGE = page_text('docs/detectors.md')
SCRIPTS = [text for text in python_examples(PAGE) if '_base_' not in text]
CONFIGS = dict(
    zip(('hourglass52', 'res50', 'cornernet', 'hourglass104'),
        (text for text in python_examples(PAGE) if '_base_' in text)))


@pytest.fixture
def build(tmp_path):
    """Build the model of one of the page's configs, changed by options."""

    def build_model(name, scope, **options):
        path = tmp_path / 'config.py'
        path.write_text(CONFIGS[name])
        config = Config.fromfile(str(path))
        config.merge_from_dict(options)
        init_default_scope(scope)
        from mmengine.registry import MODELS
        return MODELS.build(config.model)

    yield build_model
    init_default_scope('mmpose')


def learns(losses, model):
    """Whether every weight gets a gradient that is a number."""
    sum(loss.sum() for name, value in losses.items() if 'loss' in name
        for loss in (value if isinstance(value, list) else [value])).backward()
    return [
        name for name, weight in model.named_parameters()
        if weight.grad is None or not weight.grad.isfinite().all()
    ] == []


def test_the_page_has_no_commands_and_seven_examples():
    assert commands(PAGE) == []
    assert len(SCRIPTS) == 3
    bases = [text for text in python_examples(PAGE) if '_base_' in text]
    assert len(bases) == len(CONFIGS)
    assert all(name in text for name, text in CONFIGS.items())


def test_plain_training_script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    names = run_python(SCRIPTS[0])
    # A joint at pixel (4 x, 4 y) is a peak of 1 in column x and row y.
    drawn = names['draw_heatmaps'](torch.tensor([[[40., 80.]]]))
    assert drawn.shape == (1, 1, 64, 64)
    assert drawn[0, 0, 20, 10] == 1
    assert drawn[0, 0, 20, 11] == pytest.approx(math.exp(-0.5))
    assert names['predicted'].shape == (2, 16, 2)
    # And comes back from it.
    _, cells = drawn.flatten(2).max(2)
    assert (cells % 64, cells // 64) == (10, 20)
    network = StackedHourglass.from_size('hg2', num_keypoints=16)
    network.load_state_dict(torch.load('hourglass.pth', weights_only=True))
    with torch.no_grad():
        again = network.eval()(names['images'])[-1]
    assert torch.equal(again, names['heatmaps'])


def test_heads_of_ones_own():
    names = run_python(SCRIPTS[1])
    shapes = [tuple(each.shape) for each in names['maps']]
    assert shapes == [(1, 5, 32, 48)] * 2


@pytest.mark.parametrize('name, size', [('hourglass52', (64, 64)),
                                        ('res50', (64, 64))])
def test_mmpose_heads(build, name, size):
    torch.manual_seed(0)
    model = build(name, 'mmpose')
    sample = PoseDataSample()
    sample.gt_instance_labels = InstanceData(
        keypoint_weights=torch.ones(1, 17))
    sample.gt_fields = PixelData(heatmaps=torch.rand(17, 16, 16))
    losses = model(torch.rand(2, 3, *size), [sample] * 2, mode='loss')
    assert learns(losses, model)


def corner_sample(size):
    """One box of class 3 in a square image."""
    sample = DetDataSample(
        metainfo=dict(
            img_shape=(size, size),
            batch_input_shape=(size, size),
            border=[0, size, 0, size]))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[20., 30, 90, 100]]), labels=torch.tensor([3]))
    return sample


@pytest.mark.parametrize('options', [
    {},
    {
        'model.backbone.num_stacks': 4,
        'model.backbone.out_stacks': [1, 3],
        'model.backbone.feat_channels': 32,
        'model.bbox_head.in_channels': 32
    },
    {
        'model.backbone.out_stacks': [-1],
        'model.backbone.feat_channels': 32,
        'model.bbox_head.in_channels': 32,
        'model.bbox_head.num_feat_levels': 1
    },
], ids=['the page', 'two of four', 'the last'])
def test_cornernet(build, options):
    torch.manual_seed(0)
    model = build('cornernet', 'mmdet', **options)
    levels = model.bbox_head.num_feat_levels
    image = torch.rand(1, 3, 127, 127)
    maps = model.backbone(image)
    assert [tuple(each.shape[2:]) for each in maps] == [(32, 32)] * levels
    losses = model(image, [corner_sample(127)], mode='loss')
    assert len(losses['det_loss']) == levels
    assert learns(losses, model)


def test_a_mismatch_is_refused(build):
    with pytest.raises(ValueError, match='num_feat_levels'):
        build('cornernet', 'mmdet', **{'model.backbone.num_stacks': 3})


# Hourglass-104's layers, narrow.
SMALL_104 = {
    'model.backbone.feat_channels': [16, 16, 8, 8, 8, 12],
    'model.backbone.num_blocks': [2, 2, 2, 1, 1, 1],
    'model.bbox_head.in_channels': 16
}


@pytest.fixture
def published(build, tmp_path, monkeypatch):
    """MMDetection's own CornerNet, whose weights are in ``cornernet.pth``."""
    monkeypatch.chdir(tmp_path)
    base = CONFIGS['cornernet'].splitlines()[0]
    monkeypatch.setitem(CONFIGS, 'theirs', base)
    torch.manual_seed(0)
    theirs = build(
        'theirs', 'mmdet', **{
            'model.backbone.stage_channels': [16, 16, 8, 8, 8, 12],
            'model.backbone.stage_blocks': [2, 2, 2, 1, 1, 1],
            'model.backbone.feat_channel': 16,
            'model.bbox_head.in_channels': 16
        })
    theirs(torch.rand(4, 3, 127, 127))  # statistics that are not 0 and 1
    torch.save(
        dict(meta=dict(epoch=210), state_dict=theirs.state_dict()),
        'cornernet.pth')
    return theirs.eval()


def assert_same(outputs, expected):
    assert len(outputs) == len(expected)
    for ours, theirs in zip(outputs, expected):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_published_weights_start_a_backbone(build, published):
    MMLogger.get_instance('detectors_page').setLevel('WARNING')
    ours = build('hourglass104', 'mmdet', **SMALL_104).eval()
    ours.backbone.init_weights()
    x = torch.rand(1, 3, 127, 255)
    with torch.no_grad():
        assert_same(ours.backbone(x), published.backbone(x))


def test_a_published_detector_is_converted(build, published):
    run_python(SCRIPTS[2])
    ours = build('hourglass104', 'mmdet', **SMALL_104).eval()
    ours.load_state_dict(
        torch.load('ours.pth', weights_only=True)['state_dict'])
    x = torch.rand(1, 3, 127, 255)
    with torch.no_grad():
        for outputs, expected in zip(ours(x), published(x)):
            assert_same(outputs, expected)  # of both stacks


def test_named_networks_of_the_page():
    assert SIZES['hourglass104'].num_weights == 187_700_352
    assert '187.7 M weights' in PAGE


def test_sizes_of_the_page():
    network = StackedHourglass(num_stacks=1, feat_channels=8)
    for size in (511, 383, 127):
        assert f'{size}' in PAGE
        [features] = network(torch.rand(1, 3, size, size))
        assert features.shape[2:] == ((size + 1) // 4, ) * 2
    with pytest.raises(ValueError, match='for example to 128 x 128'):
        network(torch.rand(1, 3, 100, 100))
    deep = StackedHourglass(num_stacks=1, feat_channels=8, depth=5)
    assert deep(torch.rand(1, 3, 128, 256))[0].shape == (1, 8, 32, 64)
    with pytest.raises(ValueError, match='multiple of 128'):
        deep(torch.rand(1, 3, 192, 192))
