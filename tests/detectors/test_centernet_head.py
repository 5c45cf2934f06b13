"""CenterNet's head on every stack, against MMDetection's on one map."""
import pytest

pytest.importorskip('mmdet', reason='requirements/mminstall.txt lists mmdet')

import torch
from mmengine.config import ConfigDict
from small_detectors import (
    CENTER_HEAD,
    CHANNELS,
    STACKED_HEAD,
    build,
    detector,
    sample,
    without_gradient,
)

import hourglass_plugin.detectors  # noqa: F401

TEST_CFG = ConfigDict(topk=10, local_maximum_kernel=3)
SAMPLES = [
    sample(127, 191, [[20, 30, 90, 100], [0, 0, 30, 20]], [2, 0]),
    sample(127, 191, [], [])]
LOSSES = ('loss_center_heatmap', 'loss_wh', 'loss_offset')


@pytest.fixture
def heads():
    """Ours for 3 stacks, and MMDetection's with each stack's weights."""
    torch.manual_seed(0)
    ours = build(dict(STACKED_HEAD, num_feat_levels=3, test_cfg=TEST_CFG))
    ours.init_weights()
    theirs = []
    for head in ours.heads:
        theirs.append(build(dict(CENTER_HEAD, test_cfg=TEST_CFG)))
        theirs[-1].load_state_dict(head.state_dict())
    return ours, theirs


@pytest.fixture
def features():
    torch.manual_seed(1)
    return [torch.randn(2, CHANNELS, 32, 48) for _ in range(3)]


def test_losses_of_each_stack_are_mmdets(heads, features):
    ours, theirs = heads
    losses = ours.loss(features, SAMPLES)
    assert list(losses) == [
        f'{name}_stack_{number}' for number in (1, 2, 3) for name in LOSSES]
    for number, (head, each) in enumerate(zip(theirs, features), 1):
        for name, loss in head.loss([each], SAMPLES).items():
            assert torch.equal(losses[f'{name}_stack_{number}'], loss)
    # Stacks do not share weights, and so not losses.
    assert len({loss.item() for loss in losses.values()}) == 9


def test_boxes_are_those_of_the_last_stack(heads, features):
    ours, theirs = heads
    found = ours.predict(features, SAMPLES)
    expected = [
        head.predict([each], SAMPLES)
        for head, each in zip(theirs, features)]
    for image in range(2):
        for name in ('bboxes', 'scores', 'labels'):
            assert torch.equal(found[image][name], expected[-1][image][name])
        assert not torch.equal(found[image].bboxes, expected[0][image].bboxes)


def test_stack_1_supervises_itself():
    torch.manual_seed(0)
    model = detector('HourglassCenterNet', STACKED_HEAD)
    image = torch.rand(2, 3, 127, 191)
    losses = model(image, SAMPLES, mode='loss')
    sum(loss for name, loss in losses.items()
        if name.endswith('_stack_1')).backward()
    first, second = model.backbone.stacks
    for module, trained in ((model.backbone.stem, True),
                            (first.hourglass, True), (second.hourglass,
                                                      False)):
        assert (without_gradient(module) == []) is trained
