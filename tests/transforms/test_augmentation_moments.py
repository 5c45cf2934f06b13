"""Both augmentations' moments, against integrals that were done by hand.

The mean of n numbers of standard deviation s has the standard error
s / sqrt(n); five of them are allowed.
"""
from math import erf, exp, log, pi, sqrt

import numpy as np
import pytest

from hourglass_plugin.transforms import RandomScaleRotation

COUNT = 40000


def draw(transform):
    np.random.seed(1)
    return np.array([transform.sample() for _ in range(COUNT)]).T


def assert_mean(values, expected):
    allowed = 5 * np.std(values) / sqrt(COUNT)
    assert abs(np.mean(values) - expected) < allowed


def test_paper_is_uniform_and_independent():
    factors, rotations = draw(RandomScaleRotation('paper'))
    # Moments of a uniform variable of half width w: w^2 / 3 and w^4 / 5.
    for values, middle, half in ((factors, 1, 0.25), (rotations, 0, 30)):
        assert_mean(values - middle, 0)
        assert_mean((values - middle)**2, half**2 / 3)
        assert_mean((values - middle)**4, half**4 / 5)
    assert_mean((factors - 1) * rotations, 0)


#: A standard normal variable n, clipped to +-2.
TAIL = (1 - erf(2 / sqrt(2))) / 2  # P(n > 2) = 0.02275
DENSITY = exp(-2) / sqrt(2 * pi)  # at 2, 0.05399
#: Integrating n^2 by parts, the tails at 2: (1 - 2 TAIL) - 2 * 2 * DENSITY
#: + 2 * 4 * TAIL = 0.92054.
CLIPPED_VARIANCE = 1 + 6 * TAIL - 4 * DENSITY


def test_the_integral_done_by_hand():
    assert CLIPPED_VARIANCE == pytest.approx(0.92054, abs=1e-5)


def test_torch_code_is_a_clipped_normal_variable():
    factors, rotations = draw(RandomScaleRotation())
    exponents = np.log2(factors)
    assert_mean(exponents, 0)
    assert_mean(exponents**2, 0.25**2 * CLIPPED_VARIANCE)
    # Rotated with probability 0.4.
    assert_mean(rotations, 0)
    assert_mean(rotations**2, 0.4 * 30**2 * CLIPPED_VARIANCE)
    assert_mean(rotations != 0, 0.4)
    assert_mean(exponents * rotations, 0)


def test_torch_codes_mean_factor():
    """E[e^(a n)] of the clipped n, a = ln(2) / 4: completing the square gives
    e^(a^2 / 2) (F(2 - a) - F(-2 - a)) between the tails, F the normal
    distribution, and TAIL (e^2a + e^-2a) in them; 1.01390 together."""

    def distribution(x):
        return (1 + erf(x / sqrt(2))) / 2

    a = log(2) / 4
    expected = exp(
        a**2 / 2) * (distribution(2 - a) - distribution(-2 - a)) + TAIL * (
            exp(2 * a) + exp(-2 * a))
    assert expected == pytest.approx(1.01390, abs=1e-5)
    assert_mean(draw(RandomScaleRotation())[0], expected)
