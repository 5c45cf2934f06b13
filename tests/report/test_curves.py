"""Plots of PCK curves, by their pixels."""
import numpy as np
import pytest
from training_plots import as_image

from hourglass_plugin.report.curves import plot_pck_curves

THRESHOLDS = np.linspace(0, 0.5, 51)
BLUE, ORANGE = (178, 114, 0), (0, 94, 213)  # BGR


def draw(curves):
    return as_image(
        plot_pck_curves(curves, THRESHOLDS, 'PCKh on mpii', 'head sizes',
                        'percent'))


def pixels(picture, color):
    """Rows and columns in which a colour is."""
    return np.nonzero((np.abs(picture.astype(int) - color) < 8).all(axis=2))


def test_a_line_is_where_its_curve_is():
    picture = draw({'flat': np.full(51, 50.0), '_b$_$ü': np.zeros(51)})
    rows, columns = pixels(picture, BLUE)
    assert len(pixels(picture, ORANGE)[0])  # each file has a colour
    # The frame: row of 0 percent, columns of the first and last threshold.
    dark = (picture < 60).all(axis=2)
    bottom, left = dark.sum(axis=1).argmax(), dark.sum(axis=0).argmax()
    right = np.flatnonzero(dark[bottom]).max()
    # The line of 100 percent is drawn half outside of the axes.
    top = pixels(draw({'all': np.full(51, 100.0)}), BLUE)[0].min()
    row = np.bincount(rows).argmax()
    assert row == pytest.approx((bottom + top) / 2, abs=4)
    assert columns.min() == pytest.approx(left, abs=4)
    assert columns.max() == pytest.approx(right, abs=4)
