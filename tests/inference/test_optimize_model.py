"""A pose estimator rewritten for speed predicts the same."""
import copy

import pytest
import torch
from small_estimator import assert_same, build, images, predict

from hourglass_plugin.inference.optimize import optimize_model


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)


@pytest.mark.parametrize('feedback', [True, False])
@pytest.mark.parametrize('stack, computed', [(-1, 3), (0, 1), (1, 2)])
@pytest.mark.parametrize('flip_test', [True, False])
def test_optimized_model_computes_no_more_than_it_decodes(
        feedback, stack, computed, flip_test):
    model = build(feedback=feedback, eval_stack=stack, flip_test=flip_test)
    fast = optimize_model(model)
    assert len(fast.backbone.stacks) == computed
    assert fast.backbone.out_stacks == (computed - 1, )
    assert_same(predict(fast), predict(model))


@pytest.mark.parametrize('asked', ['eval_all_stacks', 'output_heatmaps'])
def test_optimized_model_computes_all_that_is_asked_for(asked):
    model = build(eval_stack=0, flip_test=True, **{asked: True})
    fast = optimize_model(model)
    assert fast.backbone.out_stacks == (0, 1, 2)
    assert_same(predict(fast), predict(model))


def test_the_model_stays_as_it_is():
    model = build(eval_stack=1)
    state = copy.deepcopy(model.state_dict())
    fast = optimize_model(model)
    assert model.test_cfg == dict(eval_stack=1)
    assert fast.test_cfg['eval_stack'] == 0
    assert model.head.num_stages is None
    assert all(
        torch.equal(value, state[key])
        for key, value in model.state_dict().items())


def test_a_stack_that_is_not_there():
    with pytest.raises(ValueError):
        optimize_model(build(eval_stack=3))


def test_a_detector_keeps_its_head():
    detector = torch.nn.Module()
    detector.test_cfg = dict(max_per_img=100)
    detector.backbone = build(feedback=False).backbone
    fast = optimize_model(detector)
    assert fast.test_cfg == detector.test_cfg
    with torch.no_grad():
        for output, expected in zip(
                fast.backbone(images(2)), detector.backbone.eval()(images(2))):
            # Float32 sums in another order.
            torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)


def test_another_backbone_is_refused():
    model = torch.nn.Module()
    model.backbone = torch.nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError, match='Conv2d'):
        optimize_model(model)
