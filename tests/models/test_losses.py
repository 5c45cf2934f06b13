"""Loss and accuracy against numbers worked out by hand."""
import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

from hourglass_plugin.models.losses import heatmap_accuracy, heatmap_losses


def random_pair(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(2, 3, 4, 5, generator=generator),
            torch.randn(2, 3, 4, 5, generator=generator))


def heatmap_loss(predicted, target, keypoint_weights=None):
    """The loss of a single stack."""
    loss, = heatmap_losses([predicted], target, keypoint_weights)
    return loss


def test_loss_is_the_mean_over_every_cell():
    predicted = torch.zeros(1, 2, 2, 2)
    target = torch.zeros(1, 2, 2, 2)
    target[0, 0, 0, 0] = 2.0
    assert heatmap_loss(predicted, target).item() == 4 / 8


def test_weights_scale_and_ignored_keypoints_still_count_in_the_mean():
    predicted, target = random_pair()
    ones = torch.ones(2, 3)
    plain = heatmap_loss(predicted, target)
    torch.testing.assert_close(heatmap_loss(predicted, target, ones), plain)
    torch.testing.assert_close(
        heatmap_loss(predicted, target, 2.5 * ones), 2.5 * plain)
    assert heatmap_loss(predicted, target, 0 * ones) == 0
    one = 0 * ones
    one[1, 2] = 1
    expected = (predicted[1, 2] - target[1, 2]).square().sum() / 120
    torch.testing.assert_close(heatmap_loss(predicted, target, one), expected)


def test_exact_prediction_costs_nothing():
    _, target = random_pair()
    assert heatmap_loss(target, target) == 0


def test_half_precision_predictions_are_compared_in_float32():
    predicted = torch.full((1, 1, 8, 8), 2**-13, dtype=torch.float16)
    target = torch.zeros(1, 1, 8, 8)
    # (2^-13)^2 = 2^-26 is below float16's smallest number, 2^-24.
    assert heatmap_loss(predicted, target).item() == 2**-26


def test_weighted_gradient_equals_autograd_of_the_formula():
    predicted, target = random_pair(1)
    weights = torch.tensor([[1., 0., 2.], [0., 1., 1.]])
    predicted.requires_grad_()
    heatmap_loss(predicted, target, weights).backward()
    # d/dp of w (p - t)^2 / 120
    expected = 2 * weights[:, :, None, None] * (predicted - target) / 120
    torch.testing.assert_close(predicted.grad, expected)


def stacks(dtype, layout, seed=2):
    """Three stacks' predictions, a target and weights."""
    generator = torch.Generator().manual_seed(seed)
    predicted = [
        torch.randn(3, 5, 16, 12, generator=generator).to(
            dtype, memory_format=layout).requires_grad_() for _ in range(3)
    ]
    return (predicted, torch.rand(3, 5, 16, 12, generator=generator),
            torch.tensor([0., 1, 2, 1, 0.5]).repeat(3, 1))


def plain_losses(predicted, target, weights):
    """The formula as it is written, in float64."""
    weights = torch.ones(3, 5) if weights is None else weights
    return [(weights.double()[:, :, None, None] *
             (stack.double() - target.double())**2).mean()
            for stack in predicted]


@pytest.mark.parametrize('weighted', [False, True])
@pytest.mark.parametrize('layout',
                         [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('dtype',
                         [torch.float32, torch.bfloat16, torch.float16])
def test_all_stacks_equal_autograd_of_the_plain_formula(
        dtype, layout, weighted):
    predicted, target, weights = stacks(dtype, layout)
    weights = weights if weighted else None
    factors = [1.0, 0.5, 2.0]
    losses = heatmap_losses(predicted, target, weights)
    expected = plain_losses(predicted, target, weights)
    for loss, plain in zip(losses, expected):
        assert loss.dtype == torch.float32
        # A sum of 2880 rounded products: some 2^-24 each way.
        torch.testing.assert_close(
            loss.double(), plain, rtol=2e-6, atol=0)
    ours = torch.autograd.grad(
        sum(f * loss for f, loss in zip(factors, losses)), predicted)
    plain = torch.autograd.grad(
        sum(f * loss for f, loss in zip(factors, expected)), predicted)
    for gradient, reference in zip(ours, plain):
        assert gradient.dtype == dtype
        # Four roundings of float32, then at most one to the dtype; numbers
        # too small for float16 lie 2^-24 apart.
        torch.testing.assert_close(
            gradient.double(), reference.double(),
            rtol=max(1e-6, torch.finfo(dtype).eps),
            atol=2**-24 if dtype == torch.float16 else 0)
    assert ours[0].stride() == predicted[0].stride()


def test_nothing_but_predictions_and_the_target_is_kept():
    predicted, target, weights = stacks(torch.bfloat16, torch.channels_last)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
            lambda x: kept.append(x) or x, lambda x: x):
        losses = heatmap_losses(predicted, target, weights)
    sum(losses).backward()
    large = [x for x in kept if x.numel() >= target.numel()]
    assert len(large) == len(predicted) + 1
    ours = {stack.data_ptr() for stack in predicted}
    assert len([x for x in large if x.data_ptr() in ours]) == len(predicted)


def test_a_loss_that_is_not_asked_for_gives_no_gradient():
    predicted, target, weights = stacks(torch.float32, torch.channels_last)
    heatmap_losses(predicted, target, weights)[1].backward()
    assert not predicted[0].grad.any() and not predicted[2].grad.any()
    assert predicted[1].grad[:, 1:].all()


def test_second_derivatives_are_those_of_the_formula():
    predicted, target, weights = stacks(torch.float32, torch.contiguous_format)
    loss = sum(heatmap_losses(predicted, target, weights))
    slope, = torch.autograd.grad(loss, predicted[0], create_graph=True)
    second, = torch.autograd.grad(slope.sum(), predicted[0])
    expected = 2 * weights[:, :, None, None] / target.numel()
    torch.testing.assert_close(second, expected.expand_as(second))


@pytest.mark.parametrize('weighted', [False, True])
def test_losses_compile_in_one_graph(weighted):
    torch._dynamo.reset()

    def gradients(function):
        predicted, target, weights = stacks(torch.bfloat16,
                                            torch.channels_last)
        losses = function(predicted, target, weights if weighted else None)
        sum(losses).backward()
        return [*losses, *(stack.grad for stack in predicted)]

    compiled = torch.compile(
        heatmap_losses, backend='aot_eager', fullgraph=True)
    for ours, eager in zip(gradients(compiled), gradients(heatmap_losses)):
        torch.testing.assert_close(ours, eager)


def test_under_autocast_and_checkpointing_it_is_the_same():
    predicted, target, weights = stacks(torch.bfloat16, torch.channels_last)
    plain = heatmap_losses(predicted, target, weights)
    with torch.autocast('cpu', torch.bfloat16):
        inside = heatmap_losses(predicted, target, weights)
        checkpointed = checkpoint(
            heatmap_losses, predicted, target, weights, use_reentrant=False)
    assert torch.equal(torch.stack(inside), torch.stack(plain))
    assert torch.equal(torch.stack(checkpointed), torch.stack(plain))
    for ours, reference in zip(
            torch.autograd.grad(sum(checkpointed), predicted),
            torch.autograd.grad(sum(plain), predicted)):
        assert torch.equal(ours, reference)


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


@pytest.mark.parametrize('layout',
                         [torch.contiguous_format, torch.channels_last])
def test_accuracy_of_network_outputs(layout):
    """bfloat16 in either memory format, against a loop."""
    rng = np.random.default_rng(3)
    target, predicted = torch.zeros(2, 4, 5, 40, 64)
    predicted += torch.from_numpy(rng.random((4, 5, 40, 64)))
    weights = rng.integers(2, size=(4, 5))
    close = []
    for b in range(4):
        for k in range(5):
            y, x = rng.integers(5, 35), rng.integers(5, 59)
            dy, dx = rng.integers(-4, 5, 2)
            target[b, k, y, x], predicted[b, k, y + dy, x + dx] = 1, 2
            if weights[b, k]:
                close.append((dx / 64)**2 + (dy / 40)**2 < 0.05**2)
    predicted = predicted.to(torch.bfloat16, memory_format=layout)
    assert 0 < np.mean(close) < 1
    accuracy = heatmap_accuracy(predicted, target, torch.from_numpy(weights))
    assert accuracy.item() == pytest.approx(np.mean(close))


def test_accuracy_leaves_out_what_does_not_count():
    target = torch.zeros(1, 3, 8, 8)
    predicted = torch.zeros(1, 3, 8, 8)
    target[0, :, 4, 4] = 1
    predicted[0, 0, 4, 4] = predicted[0, 1, 0, 0] = predicted[0, 2, 0, 0] = 1
    weights = torch.tensor([[1., 1., 0.]])
    assert heatmap_accuracy(predicted, target, weights).item() == 0.5
    assert heatmap_accuracy(predicted, target, 0 * weights).item() == 0
