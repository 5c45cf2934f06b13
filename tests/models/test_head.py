"""The head: losses by stack, flip test, both contracts of the backbone."""
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS
from mmpose.structures import PoseDataSample
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from hourglass_plugin.models.head import heatmap_accuracy

CODEC = dict(
    type='HourglassHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
FLIP_INDICES = [1, 0, 2]


@pytest.fixture(autouse=True)
def mmpose_scope():
    init_default_scope('mmpose')


def build_head(**options):
    return MODELS.build(
        dict(
            type='MultiStageHeatmapHead',
            **dict(dict(out_channels=3, decoder=CODEC), **options)))


def mse(use_target_weight):
    return dict(type='KeypointMSELoss', use_target_weight=use_target_weight)


def build_network(**options):
    return MODELS.build(
        dict(
            type='StackedHourglass',
            **dict(
                dict(num_stacks=2, feat_channels=8, num_keypoints=3),
                **options)))


def samples(points, visible=None, codec=CODEC):
    """Data samples for keypoints (B, K, 2) in input pixels."""
    encoder = KEYPOINT_CODECS.build(codec)
    made = []
    for index, keypoints in enumerate(np.asarray(points, np.float32)):
        encoded = encoder.encode(
            keypoints[None],
            np.ones((1, 3)) if visible is None else visible[index])
        sample = PoseDataSample()
        sample.set_metainfo(
            dict(
                flip_indices=FLIP_INDICES,
                input_size=(64, 64),
                input_center=np.array([32., 32.]),
                input_scale=np.array([64., 64.])))
        sample.gt_instances = InstanceData(
            bboxes=np.array([[0, 0, 64, 64]], np.float32),
            bbox_scores=np.ones(1, np.float32))
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.from_numpy(encoded['keypoint_weights']))
        sample.gt_fields = PixelData(
            heatmaps=torch.from_numpy(encoded['heatmaps']))
        made.append(sample)
    return made


POINTS = [[[10, 20], [50, 20], [33, 47]], [[5, 60], [61, 3], [0, 0]]]


def targets(batch):
    return torch.stack([sample.gt_fields.heatmaps for sample in batch])


def keypoint_samples(points, visible=None, **codec):
    """As :func:`samples`, through MMPose's transforms and without heatmaps."""
    transforms = [
        TRANSFORMS.build(part) for part in (
            dict(
                type='GenerateTarget',
                encoder=dict(CODEC, encode_on_device=True, **codec)),
            dict(type='PackPoseInputs'))
    ]
    made = []
    for index, keypoints in enumerate(np.asarray(points, np.float32)):
        results = dict(
            img=np.zeros((64, 64, 3), np.uint8),
            transformed_keypoints=keypoints[None],
            keypoints_visible=np.ones((1, 3), np.float32)
            if visible is None else visible[index])
        for transform in transforms:
            results = transform(results)
        made.append(results['data_samples'])
    return made


@pytest.mark.parametrize('refinement', ['quarter', 'subpixel'])
@pytest.mark.parametrize('use_target_weight', [False, True])
def test_heatmaps_drawn_by_the_head_give_the_same_losses(
        use_target_weight, refinement):
    points = POINTS + [[[-1, 20], [63.9, 64], [np.nan, 3]]]
    visible = np.array([[[1, 1, 0]], [[1, 1, 1]], [[1, 1, 1]]])
    codec = dict(CODEC, refinement=refinement)
    batch = samples(points, visible, codec)
    light = keypoint_samples(points, visible, refinement=refinement)
    assert all('gt_fields' not in sample for sample in light)
    generator = torch.Generator().manual_seed(0)
    # Inside an hourglass, and two stacks.
    feats = [
        torch.rand(3, 3, size, size, generator=generator)
        for size in (8, 16, 8, 16)
    ]
    head = build_head(decoder=codec, loss=mse(use_target_weight))
    drawing = build_head(
        decoder=dict(codec, encode_on_device=True), loss=mse(use_target_weight))
    expected = head.loss(feats, batch)
    computed = drawing.loss(feats, light)
    assert list(computed) == list(expected)
    for name, loss in expected.items():
        torch.testing.assert_close(computed[name], loss, msg=name)
    # A head draws by its decoder's geometry, whatever that sends.
    torch.testing.assert_close(head.loss(feats, light), expected)


def test_samples_without_a_target_are_named():
    light = keypoint_samples(POINTS)
    with pytest.raises(ValueError, match='encode_on_device'):
        build_head(decoder=None).loss([torch.zeros(2, 3, 16, 16)], light)
    del light[0].gt_instance_labels.keypoint_labels
    with pytest.raises(ValueError, match='GenerateTarget'):
        build_head().loss([torch.zeros(2, 3, 16, 16)], light)


def test_losses_by_stack():
    batch = samples(POINTS)
    target = targets(batch)
    # Off by d in every cell: a mean squared error of d^2.
    losses = build_head().loss([target + 0.1, target + 0.2, target], batch)
    assert list(losses) == [
        'loss_stack_1', 'loss_stack_2', 'loss_stack_3', 'acc_pose'
    ]
    assert losses['loss_stack_1'].item() == pytest.approx(0.01, rel=1e-5)
    assert losses['loss_stack_2'].item() == pytest.approx(0.04, rel=1e-5)
    assert losses['loss_stack_3'] == 0
    assert losses['acc_pose'] == 1


def test_loss_weights():
    batch = samples(POINTS)
    target = targets(batch)
    losses = build_head(loss_weights=[0.5, 2.0]).loss(
        [target + 0.1, target + 0.1], batch)
    assert losses['loss_stack_1'].item() == pytest.approx(0.005, rel=1e-5)
    assert losses['loss_stack_2'].item() == pytest.approx(0.02, rel=1e-5)


@pytest.mark.parametrize('use_target_weight,expected', [(False, 1.0 / 3),
                                                        (True, 0.0)])
def test_unannotated_keypoints(use_target_weight, expected):
    """Predicting 1 everywhere for the one keypoint of three that is not
    annotated costs 1/3 against an empty heatmap and nothing if ignored."""
    visible = np.array([[[1, 1, 0]]])
    batch = samples(POINTS[:1], visible)
    predicted = targets(batch)
    predicted[:, 2] = 1
    losses = build_head(loss=mse(use_target_weight)).loss([predicted], batch)
    assert losses['loss_stack_1'].item() == pytest.approx(expected)


def test_loss_is_the_mean_over_every_cell():
    """Of 3 x 16 x 16 cells one is off by 2, three other keypoints' by 1: with
    the first two keypoints annotated (4 + 9) / 768, and 13 + 9 without."""
    visible = np.array([[[1, 1, 0]]])
    batch = samples(POINTS[:1], visible)
    predicted = targets(batch)
    predicted[0, 0, 0, 0] += 2
    predicted[0, 1, :3, :3] += 1
    predicted[0, 2, 3:6, 3:6] += 1
    for use_target_weight, total in ((True, 13), (False, 22)):
        losses = build_head(loss=mse(use_target_weight)).loss([predicted],
                                                              batch)
        assert losses['loss_stack_1'].item() == pytest.approx(total / 768)


@pytest.mark.parametrize('loss', [
    dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=3.0),
    dict(type='KeypointOHKMMSELoss', use_target_weight=True, topk=2),
    dict(type='KeypointOHKMMSELoss', topk=2),
    dict(type='AdaptiveWingLoss', use_target_weight=True),
    dict(type='AdaptiveWingLoss'),
    dict(type='SmoothL1HeatmapLossForTest'),
])
def test_any_loss_of_mmpose_is_called_as_by_its_own_head(loss):
    visible = np.array([[[1, 1, 0]]] * 2)
    batch = samples(POINTS, visible)
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(2, 3, 16, 16, generator=generator)
    head = MODELS.build(
        dict(
            type='HeatmapHead',
            in_channels=3,
            out_channels=3,
            deconv_out_channels=None,
            final_layer=None,
            loss=loss))
    expected = head.loss([predicted], batch)['loss_kpt']
    computed = build_head(loss=loss).loss([predicted.half()] * 2,
                                          batch)
    # float16 keeps 11 bits of the predictions.
    torch.testing.assert_close(
        computed['loss_stack_2'], expected, rtol=1e-2, atol=0)
    assert computed['loss_stack_1'].dtype == torch.float32


@MODELS.register_module()
class SmoothL1HeatmapLossForTest(torch.nn.Module):
    """A user's own."""

    def forward(self, output, target, target_weights):
        error = torch.nn.functional.smooth_l1_loss(
            output, target, reduction='none')
        return (error * target_weights[..., None, None]).mean()


def test_half_precision_predictions_are_compared_in_float32():
    batch = samples(POINTS[:1], np.zeros((1, 1, 3)))
    predicted = torch.full((1, 3, 16, 16), 2**-13, dtype=torch.float16)
    losses = build_head(loss=mse(False)).loss([predicted], batch)
    # (2^-13)^2 = 2^-26 is below float16's smallest number, 2^-24.
    assert losses['loss_stack_1'].item() == 2**-26


def test_accuracy_can_be_switched_off():
    batch = samples(POINTS)
    losses = build_head(with_accuracy=False).loss([targets(batch)], batch)
    assert list(losses) == ['loss_stack_1']


class HostTensors(TorchDispatchMode):
    """Notes the operations that see a tensor in the host's memory."""

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for value in tree_flatten((args, kwargs, result))[0]:
            if isinstance(value, torch.Tensor) and value.device.type == 'cpu':
                self.operations.append(str(func))
        return result


@pytest.mark.parametrize('use_target_weight', [False, True])
@pytest.mark.parametrize('make_samples', [samples, keypoint_samples])
@pytest.mark.parametrize('channels_last', [False, True])
def test_a_step_never_waits_for_the_device(channels_last, make_samples,
                                           use_target_weight):
    """On the meta device, whose tensors have shapes but no values: whatever
    reads one (``item``, ``cpu``, ``numpy``, a boolean mask as index) fails.
    And no tensor of the host is copied over."""
    network = build_network(
        inner_heatmaps=1, num_stacks=2, depth=2).to('meta')
    images = torch.rand(2, 3, 64, 64, device='meta')
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    head = build_head(loss=mse(use_target_weight), loss_weights=[1.0, 2.0])
    batch = [sample.to('meta') for sample in make_samples(POINTS)]
    with HostTensors() as host:
        losses = head.loss(network(images), batch)
        sum(loss for name, loss in losses.items() if 'loss' in name).backward()
    assert host.operations == []
    assert len(losses) == 5 and all(loss.is_meta for loss in losses.values())
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.is_meta, name


@pytest.mark.parametrize('read', [
    lambda x: x.sum().item(), lambda x: x.cpu(), lambda x: x.numpy(),
    lambda x: x[x > 0], lambda x: bool((x > 0).all()),
    lambda x: x.nonzero(), lambda x: x.tolist()
])
def test_the_meta_device_does_refuse(read):
    with pytest.raises((RuntimeError, NotImplementedError, TypeError)):
        read(torch.zeros(3, device='meta'))


def test_the_copies_to_the_device_are_noted():
    with HostTensors() as host:
        torch.zeros(2).to('meta')
    assert 'aten._to_copy.default' in host.operations


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


def test_every_stack_is_decoded_into_image_pixels():
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


def test_decoding_every_stack_changes_nothing_else():
    batch = samples(POINTS)
    stacks = [targets(batch).roll(1, dims=2), targets(batch)]
    for index in (0, 1, -1):
        plain = build_head().predict(stacks, batch, dict(eval_stack=index))
        beside = build_head().predict(stacks, batch,
                                      dict(eval_stack=index, eval_all_stacks=True))
        for one, other in zip(plain, beside):
            np.testing.assert_array_equal(one.keypoints, other.keypoints)
            np.testing.assert_array_equal(one.keypoint_scores,
                                          other.keypoint_scores)
    by_stack = build_head().predict(stacks, batch,
                                    dict(eval_all_stacks=True))[0].stack_keypoints
    assert not np.array_equal(by_stack[0, 0], by_stack[0, 1])


def test_losses_inside_an_hourglass():
    batch = samples(POINTS)
    target = targets(batch)
    # A 2x2 block keeps its maximum: at half the resolution the peak of (10,
    # 20), cell (2, 5), is in cell (1, 2).
    pooled = target.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    assert pooled[0, 0, 2, 1] == 1
    feats = [pooled + 0.3, target + 0.1, pooled, target]
    losses = build_head(
        loss_weights=[1.0, 2.0], num_stages=2).loss(feats, batch)
    assert list(losses) == [
        'loss_stack_1', 'loss_stack_2', 'loss_stack_1_8x8',
        'loss_stack_2_8x8', 'acc_pose'
    ]
    assert losses['loss_stack_1_8x8'].item() == pytest.approx(0.09)
    assert losses['loss_stack_1'].item() == pytest.approx(0.01)
    assert losses['loss_stack_2_8x8'] == losses['loss_stack_2'] == 0
    weighted = build_head(loss_weights=[0.5, 2.0]).loss(feats, batch)
    assert weighted['loss_stack_1_8x8'].item() == pytest.approx(0.045)


def test_heatmaps_of_lower_resolution_are_not_decoded():
    batch = samples(POINTS)
    last = targets(batch)
    low = torch.rand(2, 3, 8, 8)
    people = build_head().predict([low, low, last], batch)
    assert people[0].keypoints[0].tolist() == [[10, 22], [50, 22], [34, 46]]


@pytest.mark.parametrize('offset,expected', [((0, 0), 1.0), ((3, 0), 1.0),
                                             ((0, -3), 1.0), ((4, 0), 0.0),
                                             ((2, 2), 1.0), ((3, 2), 0.0)])
def test_accuracy_counts_a_twentieth_of_the_sides(offset, expected):
    """64 cells / 20 = 3.2: 3 cells are close, 4 and sqrt(13) = 3.6 not."""
    target = torch.zeros(1, 1, 64, 64)
    predicted = torch.zeros(1, 1, 64, 64)
    target[0, 0, 30, 30] = 1
    predicted[0, 0, 30 + offset[1], 30 + offset[0]] = 1
    accuracy = heatmap_accuracy(predicted, target, torch.ones(1, 1))
    assert accuracy.item() == expected


def test_accuracy_counts_annotated_keypoints_only():
    target = torch.zeros(1, 3, 8, 8)
    predicted = torch.zeros(1, 3, 8, 8)
    target[0, :, 4, 4] = 1
    predicted[0, 0, 4, 4] = predicted[0, 1, 0, 0] = predicted[0, 2, 0, 0] = 1
    weights = torch.tensor([[1., 1., 0.]])
    assert heatmap_accuracy(predicted, target, weights).item() == 0.5
    assert heatmap_accuracy(predicted, target, 0 * weights).item() == 0


@pytest.mark.parametrize('layout',
                         [torch.contiguous_format, torch.channels_last])
def test_accuracy_of_network_outputs(layout):
    """bfloat16 in either memory format, against a loop."""
    rng = np.random.default_rng(3)
    target, predicted = torch.zeros(2, 4, 5, 40, 64)
    predicted += torch.from_numpy(rng.random((4, 5, 40, 64)))
    weights = rng.integers(2, size=(4, 5))
    close = []
    for b, k in np.ndindex(4, 5):
        y, x = rng.integers(5, 35), rng.integers(5, 59)
        dy, dx = rng.integers(-4, 5, 2)
        target[b, k, y, x], predicted[b, k, y + dy, x + dx] = 1, 2
        if weights[b, k]:
            close.append((dx / 64)**2 + (dy / 40)**2 < 0.05**2)
    predicted = predicted.to(torch.bfloat16, memory_format=layout)
    assert 0 < np.mean(close) < 1
    accuracy = heatmap_accuracy(predicted, target, torch.from_numpy(weights))
    assert accuracy.item() == pytest.approx(np.mean(close))
