"""Predictions of the head, its flip test and the backbones that it fits."""
import numpy as np
import pytest
import torch
from head_samples import POINTS, build_head, samples, targets
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from small_estimator import CODEC, FLIP_INDICES, HEAD, build, images

# Cells decode to their middles: (10, 20) is in cell (2, 5).
DECODED = [[10, 22], [50, 22], [34, 46]]


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def test_any_stack_can_be_decoded_and_returned():
    batch = samples()
    stacks = [targets(batch), targets(samples(POINTS[::-1])) * 0.5]
    head = build_head()
    # Those of lower resolution before them are not decoded.
    low = torch.rand(2, 3, 8, 8)
    person, other = head.predict([low, stacks[1], low, stacks[0]], batch)
    assert person.keypoints.tolist() == [DECODED]
    assert other.keypoint_scores.tolist() == [[1, 1, 1]]
    for index, number, first in ((0, 0, [10, 22]), (1, 1, [6, 62]),
                                 (-1, 1, [6, 62])):
        people, fields = head.predict(
            stacks, batch, dict(eval_stack=index, output_heatmaps=True))
        assert people[0].keypoints[0, 0].tolist() == first
        torch.testing.assert_close(fields[0].heatmaps, stacks[number][0])
        torch.testing.assert_close(fields[1].heatmaps_stack_2, stacks[1][1])
    with pytest.raises(ValueError, match='eval_stack=2'):
        head.predict(stacks, batch, dict(eval_stack=2))


def mmposes(kind, **options):
    return dict(
        type=kind, input_size=(64, 64), heatmap_size=(16, 16), **options)


@pytest.mark.parametrize('codec, shift', [
    (CODEC, False),
    (mmposes('MSRAHeatmap', sigma=1), True),
    (mmposes('UDPHeatmap', sigma=1), False),
    (mmposes('MegviiHeatmap', kernel_size=3), False)])
def test_flip_test_lines_up_with_every_codec(codec, shift):
    """A network that is right on image and flipped image must give, averaged,
    what it gives on the image: the same heights and cells."""
    head = build_head(decoder=codec)
    batch = samples(POINTS[:1], codec=codec)
    # The flipped image, left and right exchanged.
    points = np.array(POINTS[:1])[:, FLIP_INDICES]
    points[..., 0] = 63 - points[..., 0]
    feats = [[targets(batch)], [targets(samples(points, codec=codec))]]
    alone, = head.predict(feats[0], batch)
    for test_cfg in (dict(flip_test=True),
                     dict(flip_test=True, shift_heatmap=shift)):
        person, = head.predict(feats, batch, test_cfg)
        # UDP's positions are float32 sums that differ by rounding.
        np.testing.assert_allclose(
            person.keypoints, alone.keypoints, atol=1e-3)
        np.testing.assert_allclose(
            person.keypoint_scores, alone.keypoint_scores, rtol=1e-5)
    for refused, setting in ((head, 'shift_heatmap'),
                             (build_head(decoder=None), 'decoder')):
        with pytest.raises(ValueError, match=setting):
            refused.predict(feats, batch,
                            dict(flip_test=True, shift_heatmap=not shift))


def test_head_with_own_convolutions():
    head = build_head(in_channels=4, num_stages=2)
    feats = [torch.rand(1, 4, 16, 16) for _ in range(2)]
    last = head.heatmaps[1]
    expected = torch.einsum('kc,bchw->bkhw', last.weight[..., 0, 0], feats[1])
    torch.testing.assert_close(
        head(feats)[1], expected + last.bias[:, None, None])
    assert len(list(head.parameters())) == 4
    assert list(build_head().parameters()) == []


@pytest.mark.parametrize('options', [
    dict(in_channels=4),
    dict(num_stages=2, loss_weights=[1.0]),
    dict(decoder=dict(type='RegressionLabel', input_size=(64, 64))),
    dict(decoder=mmposes('UDPHeatmap', heatmap_type='combined')),
], ids=str)
def test_bad_arguments(options):
    with pytest.raises(ValueError):
        build_head(**options)


@pytest.mark.parametrize('num_stages, shape', [
    (2, (2, 3, 16, 16)),
    (None, (2, 8, 16, 16)),
    (None, (2, 3, 32, 32))])
def test_outputs_of_a_backbone_that_do_not_fit(num_stages, shape):
    with pytest.raises(ValueError):
        build_head(num_stages=num_stages).loss([torch.zeros(shape)], samples())


OURS = dict(type='StackedHourglass', num_stacks=2, feat_channels=8)
MMPOSES = dict(
    type='HourglassNet', downsample_times=1, num_stacks=2,
    stage_channels=(256, 8),  # its stem always gives 256
    stage_blocks=(1, 1), feat_channel=8)
BY_STACK = ['loss_stack_1', 'loss_stack_2']


@pytest.mark.parametrize('backbone, head, losses', [
    (dict(OURS, num_keypoints=3), {}, BY_STACK),
    (OURS, dict(in_channels=8, num_stages=2), BY_STACK),
    (MMPOSES, dict(in_channels=8, num_stages=2), BY_STACK),
    (OURS, dict(type='CPMHead', in_channels=8, num_stages=2), ['loss_kpt']),
    (OURS, dict(type='HeatmapHead', in_channels=8, deconv_out_channels=None),
     ['loss_kpt']),
], ids=str)
def test_parts_of_mmpose_and_ours_fit_together(backbone, head, losses):
    """Each pair overfits a batch: in 60 steps the loss falls to less than
    half, and the flip test's prediction uses both halves."""
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='TopdownPoseEstimator', backbone=backbone,
        head=dict(HEAD, **head), test_cfg=dict(flip_test=True)))
    batch = samples()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    history = []
    for _ in range(60):
        computed = model(images(2), batch, mode='loss')
        assert [name for name in computed if 'loss' in name] == losses
        loss = sum(computed[name] for name in losses)
        history.append(loss.item())
        if history[-1] < history[0] / 2:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert history[-1] < history[0] / 2
    predicted = model.eval()(images(2), batch, mode='predict')
    assert predicted[1].pred_instances.keypoints.shape == (1, 3, 2)


def test_all_stacks_are_decoded_into_image_pixels():
    batch = samples()
    for number, sample in enumerate(batch):
        # The crop of 64 pixels shows 128 pixels around (100 + number, 50).
        sample.set_metainfo(dict(
            input_center=np.array([100. + number, 50.]),
            input_scale=np.array([128., 128.])))
    last = targets(batch)
    first = last.roll(1, dims=3)  # one cell, 4 pixels, to the right
    for index, moved in ((-1, 0), (0, 4)):
        people = build_head().predict(
            [first, last], batch,
            dict(eval_stack=index, eval_all_stacks=True))
        # The stack to decode is what is predicted, in pixels of the crop.
        np.testing.assert_array_equal(
            people[0].keypoints, np.add([DECODED], [moved, 0]))
        for number, person in enumerate(people):
            by_stack = person.stack_keypoints[0]
            # Twice as large, from the corner (36, -14).
            np.testing.assert_array_equal(
                by_stack[index], 2 * person.keypoints[0] + [36 + number, -14])
            # One of the second person's peaks leaves the heatmap.
            assert (by_stack[0] - by_stack[1])[::2].tolist() == [[8, 0]] * 2


def test_the_decoded_stack_is_the_same_number_by_number():
    """As MMPose's estimator maps ``keypoints`` back: a joint at the threshold
    would else be right in one row of the table and wrong in the other."""
    rng = np.random.default_rng(0)
    batch = samples()
    for sample in batch:
        sample.set_metainfo(dict(
            input_center=rng.uniform(500, 900, 2).astype(np.float32),
            input_scale=rng.uniform(300, 400, 2).astype(np.float32)))
    model = build('TopdownPoseEstimator')
    people = model.head.predict([targets(batch)] * 2, batch,
                                dict(eval_all_stacks=True))
    for sample in model.add_pred_to_datasample(people, None, batch):
        found = sample.pred_instances
        for stack in found.stack_keypoints[0]:
            np.testing.assert_array_equal(stack, found.keypoints[0])
