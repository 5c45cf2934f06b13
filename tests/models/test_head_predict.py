"""Predictions of the head, its flip test and the backbones that it fits."""
import numpy as np
import pytest
import torch
from head_samples import (
    CODEC,
    FLIP_INDICES,
    POINTS,
    build_head,
    samples,
    targets,
)
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def test_predict_decodes_the_last_stack():
    batch = samples(POINTS)
    first, last = torch.zeros(2, 3, 16, 16), targets(batch)
    people = build_head().predict([first, last], batch)
    # Cells decode to their middles: (10, 20) is in cell (2, 5).
    np.testing.assert_array_equal(people[0].keypoints[0],
                                  [[10, 22], [50, 22], [34, 46]])
    np.testing.assert_array_equal(people[0].keypoint_scores, [[1, 1, 1]])


def test_any_stack_can_be_decoded_and_returned():
    batch = samples(POINTS)
    stacks = [targets(batch), targets(samples(POINTS[::-1])) * 0.5]
    head = build_head()
    people, fields = head.predict(stacks, batch,
                                  dict(eval_stack=0, output_heatmaps=True))
    assert people[0].keypoints[0, 0].tolist() == [10, 22]
    torch.testing.assert_close(fields[0].heatmaps, stacks[0][0])
    torch.testing.assert_close(fields[1].heatmaps_stack_2, stacks[1][1])
    people, fields = head.predict(stacks, batch, dict(output_heatmaps=True))
    assert people[0].keypoints[0, 0].tolist() == [6, 62]
    torch.testing.assert_close(fields[0].heatmaps, stacks[1][0])
    with pytest.raises(ValueError, match='eval_stack=2'):
        head.predict(stacks, batch, dict(eval_stack=2))


def flipped_points(points):
    """The keypoints of the flipped image, left and right exchanged."""
    points = np.asarray(points, np.float32)[:, FLIP_INDICES].copy()
    points[..., 0] = 63 - points[..., 0]
    return points


MMPOSE_CODEC = dict(input_size=(64, 64), heatmap_size=(16, 16))


@pytest.mark.parametrize('codec,shift', [
    (CODEC, False),
    (dict(MMPOSE_CODEC, type='MSRAHeatmap', sigma=1), True),
    (dict(MMPOSE_CODEC, type='UDPHeatmap', sigma=1), False),
    (dict(MMPOSE_CODEC, type='MegviiHeatmap', kernel_size=3), False),
])
def test_flip_test_lines_up_with_every_codec(codec, shift):
    """A network that is right on image and flipped image must give, averaged,
    what it gives on the image: the same heights and cells."""
    head = build_head(decoder=codec)
    batch = samples(POINTS[:1], codec=codec)
    flipped = samples(flipped_points(POINTS[:1]), codec=codec)
    stacks, reverse = [targets(batch)], [targets(flipped)]
    alone = head.predict(stacks, batch)
    for test_cfg in (dict(flip_test=True),
                     dict(flip_test=True, shift_heatmap=shift)):
        people = head.predict([stacks, reverse], batch, test_cfg)
        # UDP's positions are float32 sums that differ by rounding.
        np.testing.assert_allclose(
            people[0].keypoints, alone[0].keypoints, atol=1e-3)
        np.testing.assert_allclose(
            people[0].keypoint_scores, alone[0].keypoint_scores, rtol=1e-5)
    with pytest.raises(ValueError, match='shift_heatmap'):
        head.predict([stacks, reverse], batch,
                     dict(flip_test=True, shift_heatmap=not shift))


def test_head_with_own_convolutions():
    head = build_head(in_channels=4, num_stages=2)
    assert sum(p.numel() for p in head.parameters()) == 2 * (4 * 3 + 3)
    feats = [torch.rand(1, 4, 16, 16) for _ in range(2)]
    heatmaps = head(feats)
    expected = torch.einsum('kc,bchw->bkhw', head.heatmaps[1].weight[..., 0,
                                                                     0],
                            feats[1]) + head.heatmaps[1].bias[:, None, None]
    torch.testing.assert_close(heatmaps[1], expected)


def test_head_without_channels_has_no_weights():
    assert list(build_head().parameters()) == []


@pytest.mark.parametrize('options', [
    dict(in_channels=4),
    dict(num_stages=2, loss_weights=[1.0]),
    dict(decoder=dict(type='RegressionLabel', input_size=(64, 64))),
    dict(decoder=dict(MMPOSE_CODEC, type='UDPHeatmap',
                      heatmap_type='combined')),
    dict(decoder=dict(CODEC, type='MPIIHeatmap')),
], ids=str)
def test_bad_arguments(options):
    with pytest.raises(ValueError):
        build_head(**options)


@pytest.mark.parametrize('options, shape', [
    (dict(num_stages=2), (2, 3, 16, 16)),
    (dict(), (2, 8, 16, 16)),
    (dict(), (2, 3, 32, 32)),
])
def test_outputs_of_a_backbone_that_do_not_fit(options, shape):
    with pytest.raises(ValueError):
        build_head(**options).loss([torch.zeros(shape)], samples(POINTS))


def test_flip_test_needs_the_codec():
    with pytest.raises(ValueError, match='decoder'):
        build_head(decoder=None).predict(
            [[torch.zeros(2, 3, 16, 16)]] * 2, samples(POINTS),
            dict(flip_test=True))


def estimator(backbone, head):
    return MODELS.build(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(
                type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3),
            backbone=backbone,
            head=head,
            test_cfg=dict(flip_test=True)))


NETWORK = dict(type='StackedHourglass', num_stacks=2, feat_channels=8)
MMPOSE_HOURGLASS = dict(
    type='HourglassNet',
    downsample_times=1,
    num_stacks=2,
    stage_channels=(256, 8),  # its stem always gives 256
    stage_blocks=(1, 1),
    feat_channel=8)


@pytest.mark.parametrize('backbone,head,losses', [
    (dict(NETWORK, num_keypoints=3),
     dict(type='MultiStageHeatmapHead', out_channels=3, decoder=CODEC),
     ['loss_stack_1', 'loss_stack_2']),
    (NETWORK,
     dict(type='MultiStageHeatmapHead', in_channels=8, num_stages=2,
          out_channels=3, decoder=CODEC), ['loss_stack_1', 'loss_stack_2']),
    (MMPOSE_HOURGLASS,
     dict(type='MultiStageHeatmapHead', in_channels=8, num_stages=2,
          out_channels=3, decoder=CODEC), ['loss_stack_1', 'loss_stack_2']),
    (NETWORK,
     dict(type='CPMHead', in_channels=8, num_stages=2, out_channels=3,
          decoder=CODEC), ['loss_kpt']),
    (NETWORK,
     dict(type='HeatmapHead', in_channels=8, deconv_out_channels=None,
          out_channels=3, decoder=CODEC), ['loss_kpt']),
], ids=['ours', 'ours with weights', 'our head on HourglassNet',
        'CPMHead on ours', 'HeatmapHead on ours'])
def test_parts_of_mmpose_and_ours_fit_together(backbone, head, losses):
    """Each pair overfits a batch: in 60 steps the loss falls to less than
    half, and the flip test's prediction uses both halves."""
    torch.manual_seed(0)
    model = estimator(backbone, head)
    batch = samples(POINTS)
    images = torch.rand(2, 3, 64, 64)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    history = []
    while len(history) < 60:
        computed = model(images, batch, mode='loss')
        assert [name for name in computed if 'loss' in name] == losses
        loss = sum(computed[name] for name in losses)
        history.append(loss.item())
        if history[-1] < history[0] / 2:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert history[-1] < history[0] / 2
    predicted = model.eval()(images, batch, mode='predict')
    assert predicted[1].pred_instances.keypoints.shape == (1, 3, 2)


def test_all_stacks_are_decoded_into_image_pixels():
    batch = samples(POINTS)
    for number, sample in enumerate(batch):
        # The crop of 64 pixels shows 128 pixels around (100 + number, 50).
        sample.set_metainfo(
            dict(
                input_center=np.array([100. + number, 50.]),
                input_scale=np.array([128., 128.])))
    last = targets(batch)
    first = last.roll(1, dims=3)  # one cell, 4 pixels, to the right
    people = build_head().predict([first, last], batch,
                                  dict(eval_all_stacks=True))
    # The last stack is what is predicted, in pixels of the crop.
    np.testing.assert_array_equal(people[0].keypoints[0],
                                  [[10, 22], [50, 22], [34, 46]])
    by_stack = people[0].stack_keypoints
    assert by_stack.shape == (1, 2, 3, 2)
    # Twice as large, from the corner (36, -14).
    np.testing.assert_array_equal(by_stack[0, 1],
                                  [[56, 30], [136, 30], [104, 78]])
    np.testing.assert_array_equal(by_stack[0, 0] - by_stack[0, 1],
                                  [[8, 0]] * 3)
    shift = people[1].keypoints[0] * 2 + [37, -14] - people[1].stack_keypoints[
        0, 1]
    np.testing.assert_array_equal(shift, np.zeros((3, 2)))


def test_the_decoded_stack_is_the_same_number_by_number():
    """As MMPose's estimator maps ``keypoints`` back: a joint at the threshold
    would else be right in one row of the table and wrong in the other."""
    rng = np.random.default_rng(0)
    batch = samples(POINTS)
    for sample in batch:
        sample.set_metainfo(
            dict(
                input_center=rng.uniform(500, 900, 2).astype(np.float32),
                input_scale=rng.uniform(300, 400, 2).astype(np.float32)))
    model = estimator(
        dict(NETWORK, num_keypoints=3),
        dict(type='MultiStageHeatmapHead', out_channels=3, decoder=CODEC))
    people = model.head.predict([targets(batch)] * 2, batch,
                                dict(eval_all_stacks=True))
    for sample in model.add_pred_to_datasample(people, None, batch):
        found = sample.pred_instances
        for stack in found.stack_keypoints[0]:
            np.testing.assert_array_equal(stack, found.keypoints[0])


def test_decoding_all_stacks_changes_nothing_else():
    batch = samples(POINTS)
    stacks = [targets(batch).roll(1, dims=2), targets(batch)]
    for index in (0, 1, -1):
        plain = build_head().predict(stacks, batch, dict(eval_stack=index))
        beside = build_head().predict(
            stacks, batch, dict(eval_stack=index, eval_all_stacks=True))
        for one, other in zip(plain, beside):
            np.testing.assert_array_equal(one.keypoints, other.keypoints)
            np.testing.assert_array_equal(one.keypoint_scores,
                                          other.keypoint_scores)
    by_stack = build_head().predict(
        stacks, batch, dict(eval_all_stacks=True))[0].stack_keypoints
    assert not np.array_equal(by_stack[0, 0], by_stack[0, 1])


def test_heatmaps_of_lower_resolution_are_not_decoded():
    batch = samples(POINTS)
    last = targets(batch)
    low = torch.rand(2, 3, 8, 8)
    people = build_head().predict([low, low, last], batch)
    assert people[0].keypoints[0].tolist() == [[10, 22], [50, 22], [34, 46]]
