"""Losses and accuracy of the head, against numbers worked out by hand."""
import numpy as np
import pytest
import torch
from head_samples import POINTS, build_head, mse, samples, targets
from mmpose.registry import MODELS
from small_estimator import CODEC
from small_network import small_network
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from hourglass_plugin.models.head import heatmap_accuracy

ON_DEVICE = dict(CODEC, encode_on_device=True)
ONE_UNANNOTATED = np.array([[[1, 1, 0]]] * 2)


def random_heatmaps(*sizes, count=2):
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(count, 3, size, size, generator=generator)
            for size in sizes]


def numbers(losses):
    return {name: loss.item() for name, loss in losses.items()}


@pytest.mark.parametrize('refinement', ['quarter', 'subpixel'])
@pytest.mark.parametrize('use_target_weight', [False, True])
def test_heatmaps_drawn_by_the_head_give_the_same_losses(
        use_target_weight, refinement):
    points = POINTS + [[[-1, 20], [63.9, 64], [np.nan, 3]]]
    visible = np.array([[[1, 1, 0]], [[1, 1, 1]], [[1, 1, 1]]])
    codec = dict(CODEC, refinement=refinement)
    light = samples(points, visible, dict(codec, encode_on_device=True))
    assert all('gt_fields' not in sample for sample in light)
    # Inside an hourglass, and two stacks.
    feats = random_heatmaps(8, 16, 8, 16, count=3)
    # A head draws by its decoder's geometry, whatever that sends.
    expected, *drawn = (
        numbers(
            build_head(
                decoder=dict(codec, encode_on_device=on_device),
                loss=mse(use_target_weight)).loss(feats, batch))
        for on_device, batch in ((False, samples(points, visible, codec)),
                                 (False, light), (True, light)))
    assert drawn == [pytest.approx(expected)] * 2


def test_samples_without_a_target_are_refused():
    light = samples(codec=ON_DEVICE)
    feats = random_heatmaps(16)
    with pytest.raises(ValueError, match='encode_on_device'):
        build_head(decoder=None).loss(feats, light)
    del light[0].gt_instance_labels.keypoint_labels
    with pytest.raises(ValueError, match='GenerateTarget'):
        build_head().loss(feats, light)


def test_losses_by_stack_and_inside_an_hourglass():
    batch = samples()
    target = targets(batch)
    # A 2x2 block keeps its maximum: at half the resolution the peak of (10,
    # 20), cell (2, 5), is in cell (1, 2).
    pooled = target.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))
    assert pooled[0, 0, 2, 1] == 1
    # Off by d in every cell: a mean squared error of d^2.
    feats = [pooled + 0.3, target + 0.1, pooled, target]
    losses = numbers(build_head().loss(feats, batch))
    assert list(losses) == ['loss_stack_1', 'loss_stack_2', 'loss_stack_1_8x8',
                            'loss_stack_2_8x8', 'acc_pose']
    assert list(losses.values()) == pytest.approx([0.01, 0, 0.09, 0, 1])
    weighted = build_head(loss_weights=[0.5, 2.0])
    assert numbers(weighted.loss([*feats[:3], target + 0.2], batch)) == {
        'acc_pose': 1,
        'loss_stack_1': pytest.approx(0.005, rel=1e-5),
        'loss_stack_2': pytest.approx(0.08, rel=1e-5),
        'loss_stack_1_8x8': pytest.approx(0.045),
        'loss_stack_2_8x8': 0}


def test_loss_is_the_mean_over_every_cell():
    """3 x 16 x 16 cells, of which one is off by 2, and 9 by 1 of another
    keypoint and 9 of one without annotation, which is ignored or not."""
    batch = samples(POINTS[:1], ONE_UNANNOTATED)
    predicted = targets(batch)
    predicted[0, 0, 0, 0] += 2
    predicted[0, 1, :3, :3] += 1
    predicted[0, 2, 3:6, 3:6] += 1
    for loss, total in ((None, 13), (mse(True), 13), (mse(False), 22)):
        losses = build_head(loss=loss).loss([predicted], batch)
        assert losses['loss_stack_1'].item() == pytest.approx(total / 768)


@MODELS.register_module()
class SmoothL1HeatmapLossForTest(torch.nn.Module):
    """A user's own."""

    def forward(self, output, target, target_weights):
        error = torch.nn.functional.smooth_l1_loss(
            output, target, reduction='none')
        return (error * target_weights[..., None, None]).mean()


@pytest.mark.parametrize('loss', [
    dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=3.0),
    dict(type='KeypointOHKMMSELoss', use_target_weight=True, topk=2),
    dict(type='AdaptiveWingLoss'),
    dict(type='SmoothL1HeatmapLossForTest')])
def test_any_loss_of_mmpose_is_called_as_by_its_own_head(loss):
    batch = samples(POINTS, ONE_UNANNOTATED)
    predicted, = random_heatmaps(16)
    head = MODELS.build(dict(
        type='HeatmapHead', in_channels=3, out_channels=3,
        deconv_out_channels=None, final_layer=None, loss=loss))
    expected = head.loss([predicted], batch)['loss_kpt']
    computed = build_head(loss=loss).loss([predicted] * 2, batch)
    torch.testing.assert_close(computed['loss_stack_2'], expected)


def test_half_precision_predictions_are_compared_in_float32():
    batch = samples(POINTS[:1], np.zeros((1, 1, 3)))
    predicted = torch.full((1, 3, 16, 16), 2**-13, dtype=torch.float16)
    losses = build_head(loss=mse(False)).loss([predicted], batch)
    # (2^-13)^2 = 2^-26 is below float16's smallest number, 2^-24.
    assert losses['loss_stack_1'].item() == 2**-26


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
@pytest.mark.parametrize('codec', [CODEC, ON_DEVICE])
def test_a_step_never_waits_for_the_device(codec, use_target_weight):
    """On the meta device, whose tensors have shapes but no values: whatever
    reads one (``item``, ``cpu``, ``numpy``, a boolean mask as index) fails.
    And no tensor of the host is copied over."""
    network = small_network(num_keypoints=3, inner_heatmaps=1).to('meta')
    images = torch.rand(2, 3, 64, 64, device='meta')
    head = build_head(loss=mse(use_target_weight), loss_weights=[1.0, 2.0])
    batch = [sample.to('meta') for sample in samples(codec=codec)]
    with HostTensors() as host:
        losses = head.loss(network(images), batch)
        sum(loss for name, loss in losses.items() if 'loss' in name).backward()
        seen_here = list(host.operations)
        torch.zeros(2).to('meta')
    assert seen_here == [] and host.operations
    assert len(losses) == 5 and all(loss.is_meta for loss in losses.values())
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.is_meta, name


def test_accuracy_counts_a_twentieth_of_the_sides():
    """64 cells / 20 = 3.2: 3 cells are close, 4 and sqrt(13) = 3.6 not."""
    target, predicted = torch.zeros(2, 1, 6, 64, 64)
    target[0, :, 30, 30] = 1
    for keypoint, (x, y) in enumerate(
            ((0, 0), (3, 0), (0, -3), (2, 2), (4, 0), (3, 2))):
        predicted[0, keypoint, 30 + y, 30 + x] = 1
    for weights, expected in (([1] * 6, 4 / 6), ([1] * 4 + [0] * 2, 1),
                              ([0] * 4 + [1] * 2, 0), ([0] * 6, 0)):
        assert heatmap_accuracy(predicted, target, torch.tensor(
            [weights])).item() == pytest.approx(expected)
