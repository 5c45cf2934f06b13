"""Augmentation against the distributions that the paper and its code state.
"""
import numpy as np
import pytest
from mmpose.datasets.transforms import RandomFlip

from hourglass_plugin.transforms import (
    RandomChannelGain,
    RandomHorizontalFlip,
    RandomScaleRotation,
)

COUNT = 20000


def draw(transform):
    np.random.seed(0)
    factors, rotations = np.array([transform.sample()
                                   for _ in range(COUNT)]).T
    return factors, rotations


def test_paper_is_uniform_over_its_ranges():
    """The mean of a uniform variable of width w has the standard error
    w / sqrt(12 n); five of them are allowed."""
    factors, rotations = draw(RandomScaleRotation('paper'))
    assert 0.75 <= factors.min() < 0.751 and 1.249 < factors.max() <= 1.25
    assert -30 <= rotations.min() < -29.9 and 29.9 < rotations.max() <= 30
    assert abs(factors.mean() - 1) < 5 * 0.5 / np.sqrt(12 * COUNT)
    assert abs(rotations.mean()) < 5 * 60 / np.sqrt(12 * COUNT)
    # A quarter of the mass in each quarter of the range; sigma 0.003.
    assert abs((rotations < -15).mean() - 0.25) < 0.016


def test_torch_code_is_a_normal_distribution_cut_at_two_sigma():
    factors, rotations = draw(RandomScaleRotation())
    exponents = np.log2(factors)
    assert factors.max() == 2**0.5 and factors.min() == 2**-0.5
    assert rotations.max() == 60 and rotations.min() == -60
    # P(|n| < 1) = 0.6827, P(|n| > 2) = 0.0455; sigma 0.0033 and 0.0015.
    assert abs((np.abs(exponents) < 0.25).mean() - 0.6827) < 0.017
    assert abs((np.abs(exponents) > 0.4999999).mean() - 0.0455) < 0.008
    assert abs((rotations == 0).mean() - 0.6) < 0.018
    turned = rotations[rotations != 0]
    assert abs((np.abs(turned) < 30).mean() - 0.6827) < 0.027


def test_transform_changes_scale_and_sets_rotation():
    np.random.seed(1)
    expected = RandomScaleRotation().sample()
    np.random.seed(1)
    results = RandomScaleRotation().transform(
        dict(bbox_scale=np.array([[100., 50.]], np.float32)))
    np.testing.assert_allclose(results['bbox_scale'],
                               [[100 * expected[0], 50 * expected[0]]],
                               rtol=1e-6)
    np.testing.assert_allclose(results['bbox_rotation'], [expected[1]])
    assert results['bbox_rotation'].dtype == np.float32


def test_channel_gain_by_hand():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    np.random.seed(3)
    gains = np.random.uniform(0.6, 1.4, 3)
    np.random.seed(3)
    changed = RandomChannelGain().transform(dict(img=image.copy()))['img']
    expected = np.clip(np.rint(image * gains), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(changed, expected)
    assert changed.dtype == np.uint8 and (changed == 255).any()


@pytest.mark.parametrize('gain', [0.6, 1.4])
def test_channel_gain_range(gain):
    image = np.full((1, 1, 3), 100, np.uint8)
    changed = RandomChannelGain((gain, gain)).transform(dict(img=image))
    assert changed['img'].ravel().tolist() == [100 * gain] * 3


def test_mirroring_draws_what_mmpose_draws():
    """Seeds mirror the same samples with either transform."""
    flip = RandomFlip(prob=0.3)
    for seed in range(40):
        np.random.seed(seed)
        expected = flip._choose_direction() is not None
        np.random.seed(seed)
        assert RandomHorizontalFlip(0.3)({}) == dict(pending_flip=expected)


@pytest.mark.parametrize('transform, options', [
    (RandomHorizontalFlip, dict(prob=-0.1)),
    (RandomHorizontalFlip, dict(prob=1.5)),
    (RandomScaleRotation, dict(rotation_prob=-0.1)),
    (RandomScaleRotation, dict(rotation_prob=1.5)),
    (RandomScaleRotation, dict(sampling='torch')),
])
def test_invalid_options_are_rejected(transform, options):
    with pytest.raises(ValueError):
        transform(**options)
