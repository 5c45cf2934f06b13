"""The flip test in one batch, and a model rewritten for speed."""
import copy

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from hourglass_plugin.inference.optimize import optimize_model

CODEC = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16))


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    monkeypatch.setattr(torch, 'compile', lambda forward, **_: forward)


def build(kind='HourglassPoseEstimator',
          feedback=True,
          channels=8,
          **test_cfg):
    torch.manual_seed(0)
    heads_own = {} if feedback else dict(in_channels=channels, num_stages=3)
    model = MODELS.build(
        dict(
            type=kind,
            backbone=dict(
                type='StackedHourglass',
                num_stacks=3,
                feat_channels=channels,
                depth=2,
                num_keypoints=4 if feedback else None),
            head=dict(
                type='MultiStageHeatmapHead',
                out_channels=4,
                decoder=CODEC,
                **heads_own),
            test_cfg=test_cfg)).eval()
    for name, parameter in model.named_parameters():
        if 'heatmaps' in name:  # visible, not near zero
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def samples(count):
    people = []
    for _ in range(count):
        sample = PoseDataSample(
            gt_instances=InstanceData(
                bboxes=np.float32([[0, 0, 64, 64]]),
                bbox_scores=np.ones(1, np.float32)),
            metainfo=dict(
                input_size=np.array([64, 64]),
                input_center=np.array([32.0, 32.0]),
                input_scale=np.array([64.0, 64.0]),
                flip_indices=[1, 0, 2, 3]))
        people.append(sample)
    return people


def images(count):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, 64, 64, generator=generator)


def predict(model, count=3):
    with torch.no_grad():
        found = model.predict(images(count), samples(count))
    return [sample.pred_instances for sample in found]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert set(one.keys()) == set(other.keys())
        # The cells are the same; float32 sums in another order.
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-4)
        np.testing.assert_allclose(
            one.keypoint_scores, other.keypoint_scores, rtol=1e-4)


def noted_batches(model):
    """The sizes of the batches that the network is given."""
    batches = []
    forward = model.backbone.forward

    def noting(image):
        batches.append(len(image))
        return forward(image)

    model.backbone.forward = noting
    return batches


@pytest.mark.parametrize('threads, batches', [(4, [6]), (3, [3, 3])])
def test_flip_test_is_mmposes(threads, batches, monkeypatch):
    expected = predict(build('TopdownPoseEstimator', flip_test=True))
    model = build(flip_test=True)
    noted = noted_batches(model)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: threads)
    assert_same(predict(model), expected)
    assert noted == batches
    # The mirror image counts.
    plain = predict(build())
    assert any(
        not np.allclose(one.keypoint_scores, other.keypoint_scores)
        for one, other in zip(plain, expected))


def test_an_image_alone_is_as_among_others():
    """A loader's last batch may be one image, where others have several."""
    # The last bits differ if the sums are long enough.
    model = build(channels=128, flip_test=True)
    alone, = predict(model, 1)
    among_others = predict(model, 3)[0]
    np.testing.assert_array_equal(alone.keypoints, among_others.keypoints)
    np.testing.assert_array_equal(alone.keypoint_scores,
                                  among_others.keypoint_scores)


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
    assert model.test_cfg == dict(eval_stack=1) and fast.test_cfg['eval_stack'] == 0
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
