"""Loss and accuracy against numbers worked out by hand."""
import pytest
import torch

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


def test_accuracy_leaves_out_what_does_not_count():
    target = torch.zeros(1, 3, 8, 8)
    predicted = torch.zeros(1, 3, 8, 8)
    target[0, :, 4, 4] = 1
    predicted[0, 0, 4, 4] = predicted[0, 1, 0, 0] = predicted[0, 2, 0, 0] = 1
    weights = torch.tensor([[1., 1., 0.]])
    assert heatmap_accuracy(predicted, target, weights).item() == 0.5
    assert heatmap_accuracy(predicted, target, 0 * weights).item() == 0
