"""Augmentation against the distributions that the paper and its code state.

The mean of n numbers of standard deviation s has the standard error
s / sqrt(n); five of them are allowed.
"""
from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from mmpose.datasets.transforms import RandomFlip

from hourglass_plugin.transforms import (
    RandomChannelGain,
    RandomHorizontalFlip,
    RandomScaleRotation,
)

COUNT = 40000
#: A standard normal variable n, clipped to +-2.
TAIL = (1 - erf(2 / sqrt(2))) / 2  # P(n > 2) = 0.02275
DENSITY = exp(-2) / sqrt(2 * pi)  # at 2, 0.05399
#: Integrating n^2 by parts, the tails at 2: (1 - 2 TAIL) - 2 * 2 * DENSITY
#: + 2 * 4 * TAIL = 0.92054.
CLIPPED_VARIANCE = 1 + 6 * TAIL - 4 * DENSITY


def draw(**options):
    """COUNT factors and angles."""
    transform = RandomScaleRotation(**options)
    np.random.seed(1)
    return np.array([transform.sample() for _ in range(COUNT)]).T


def assert_mean(values, expected):
    allowed = 5 * np.std(values) / sqrt(COUNT)
    assert abs(np.mean(values) - expected) < allowed


def test_paper_is_uniform_and_independent():
    factors, rotations = draw(sampling='paper')
    assert 0.75 <= factors.min() < 0.751 and 1.249 < factors.max() <= 1.25
    assert -30 <= rotations.min() < -29.9 and 29.9 < rotations.max() <= 30
    # Moments of a uniform variable of half width w: w^2 / 3 and w^4 / 5.
    for values, middle, half in ((factors, 1, 0.25), (rotations, 0, 30)):
        assert_mean(values - middle, 0)
        assert_mean((values - middle)**2, half**2 / 3)
        assert_mean((values - middle)**4, half**4 / 5)
    assert_mean((factors - 1) * rotations, 0)


def test_lua_is_a_clipped_normal_variable():
    assert CLIPPED_VARIANCE == pytest.approx(0.92054, abs=1e-5)
    factors, rotations = draw()
    exponents = np.log2(factors)
    assert factors.max() == 2**0.5 and factors.min() == 2**-0.5
    assert rotations.max() == 60 and rotations.min() == -60
    assert_mean(exponents, 0)
    assert_mean(exponents**2, 0.25**2 * CLIPPED_VARIANCE)
    assert_mean(np.abs(exponents) < 0.25, erf(1 / sqrt(2)))  # 0.6827
    assert_mean(np.abs(exponents) > 0.4999999, 2 * TAIL)
    # Rotated with probability 0.4.
    assert_mean(rotations, 0)
    assert_mean(rotations**2, 0.4 * 30**2 * CLIPPED_VARIANCE)
    assert_mean(rotations != 0, 0.4)
    assert_mean(exponents * rotations, 0)


@pytest.mark.parametrize('sampling', ['lua', 'paper'])
def test_factors_and_probability_are_options(sampling):
    factors, rotations = draw(sampling=sampling, scale_factor=0.5,
                              rotation_factor=10, rotation_prob=0.7)
    assert factors.max() == pytest.approx(
        2 if sampling == 'lua' else 1.5, abs=1e-3)
    assert rotations.max() == pytest.approx(
        20 if sampling == 'lua' else 10, abs=1e-2)
    assert_mean(rotations != 0, 0.7)
    assert (draw(sampling=sampling, rotation_prob=0)[1] == 0).all()
    assert (draw(sampling=sampling, rotation_prob=1)[1] != 0).all()


def test_transform_changes_scale_and_sets_rotation():
    transform = RandomScaleRotation()
    transform.sample = lambda: (1.5, 20.0)
    results = transform(dict(bbox_scale=np.float32([[100, 50]])))
    assert results['bbox_scale'].tolist() == [[150, 75]]
    assert results['bbox_rotation'].tolist() == [20]
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
    grey = np.full((1, 1, 3), 100, np.uint8)
    for gain in (0.6, 1.4):
        changed = RandomChannelGain((gain, gain)).transform(dict(img=grey))
        assert changed['img'].ravel().tolist() == [100 * gain] * 3


def test_flip_draws_as_mmpose():
    """Seeds flip the same samples with either transform; half by default."""
    flip = RandomFlip(prob=0.3)
    for seed in range(40):
        np.random.seed(seed)
        expected = flip._choose_direction() is not None
        np.random.seed(seed)
        assert RandomHorizontalFlip(0.3)({}) == dict(pending_flip=expected)
    np.random.seed(0)
    transform = RandomHorizontalFlip()
    assert_mean([transform({})['pending_flip'] for _ in range(COUNT)], 0.5)


@pytest.mark.parametrize('transform, options', [
    (RandomHorizontalFlip, dict(prob=-0.1)),
    (RandomHorizontalFlip, dict(prob=1.5)),
    (RandomScaleRotation, dict(rotation_prob=-0.1)),
    (RandomScaleRotation, dict(rotation_prob=1.5)),
    (RandomScaleRotation, dict(sampling='torch'))])
def test_invalid_options_are_rejected(transform, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        transform(**options)
