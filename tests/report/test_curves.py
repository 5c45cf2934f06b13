"""Plots of PCK curves, by their pixels."""
import numpy as np
import pytest
from training_plots import as_image

from hourglass_plugin.report.curves import pck_curves_svg, plot_pck_curves

THRESHOLDS = np.linspace(0, 0.5, 51)
BLUE, ORANGE = (178, 114, 0), (0, 94, 213)  # BGR


def draw(curves):
    return as_image(
        plot_pck_curves(curves, THRESHOLDS, 'PCKh on mpii', 'head sizes',
                        'percent'))


def pixels(picture, color):
    """Rows and columns in which a colour is."""
    return np.nonzero((np.abs(picture.astype(int) - color) < 8).all(axis=2))


def axes_frame(picture):
    """Row of 0 percent, columns of the threshold 0 and of the last one."""
    dark = (picture < 60).all(axis=2)
    bottom = dark.sum(axis=1).argmax()
    left = dark.sum(axis=0).argmax()
    return bottom, left, np.flatnonzero(dark[bottom]).max()


def test_a_line_is_where_its_curve_is():
    picture = draw({'flat': np.full(51, 50.0), 'none': np.zeros(51)})
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    full = draw({'all': np.full(51, 100.0)})
    rows, columns = pixels(picture, BLUE)
    bottom, left, right = axes_frame(picture)
    # The line of 100 percent is drawn half outside of the axes.
    top = pixels(full, BLUE)[0].min()
    row = np.bincount(rows).argmax()
    assert row == pytest.approx((bottom + top) / 2, abs=4)
    assert columns.min() == pytest.approx(left, abs=4)
    assert columns.max() == pytest.approx(right, abs=4)


def test_each_file_has_a_colour_and_a_line_in_the_legend():
    one = draw({'a': THRESHOLDS * 100})
    two = draw({'a': THRESHOLDS * 100, '_b$_$ü': THRESHOLDS * 180})
    assert not len(pixels(one, ORANGE)[0]) and len(pixels(two, ORANGE)[0])
    assert len(pixels(two, BLUE)[0])


def test_the_input_stays_and_the_same_comes_out():
    curve = THRESHOLDS * 100
    before = curve.copy()
    assert (draw({'a': curve}) == draw({'a': curve})).all()
    np.testing.assert_array_equal(curve, before)


def test_errors():
    with pytest.raises(ValueError):
        draw({})
    with pytest.raises(ValueError):
        draw({'a': [1, 2, 3]})


def test_a_perfect_curve_is_as_thick_as_any():
    picture = as_image(
        plot_pck_curves({'a': np.full(3, 100.)}, [0, 0.1, 0.2], '', '', ''))
    blue = (picture == [0xb2, 0x72, 0]).all(axis=2)
    # 2 points at 150 dots per inch are 4.2 pixels, the edges of which may be
    # mixed with white.
    assert 3 <= np.median(blue.sum(axis=0)[blue.any(axis=0)]) <= 5


def test_svg_is_reproducible_and_its_text_is_text():
    svg = pck_curves_svg({'a & <b>': np.array([0, 50, 100.])}, [0, 0.1, 0.2],
                         'title', 'x', 'y')
    assert svg == pck_curves_svg({'a & <b>': np.array([0, 50, 100.])},
                                 [0, 0.1, 0.2], 'title', 'x', 'y')
    assert b'100.00  a &amp; &lt;b&gt;' in svg
