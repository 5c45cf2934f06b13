"""Solids of the drawn people against geometry worked out by hand."""
import numpy as np
import pytest
from synthetic_people.canvas import Canvas

TOWARD_VIEWER = np.array([0.0, 0.0, 1.0])


def _canvas(size=80):
    return Canvas(
        np.zeros((size, size, 3), np.float32), TOWARD_VIEWER, ambient=1.0)


def _paint(color):
    return lambda x, y, z: np.tile(np.float32(color), (len(x), 1))


def _covered(canvas):
    return np.isfinite(canvas.depth)


def test_turned_ellipsoid_covers_its_shadow():
    # Half axes 20, 12 and 6; the last two turned by 30 degrees about x, so
    # that the shadow's half height is sqrt((12 cos 30)^2 + (6 sin 30)^2).
    angle = np.radians(30)
    axes = np.array([[20, 0, 0], [0, 12 * np.cos(angle), -6 * np.sin(angle)],
                     [0, 12 * np.sin(angle), 6 * np.cos(angle)]])
    canvas = _canvas()
    canvas.ellipsoid(np.array([40.0, 38.0, 5.0]), axes, _paint([9, 9, 9]))
    half_height = np.hypot(12 * np.cos(angle), 6 * np.sin(angle))
    # A pixel counts if its centre is inside: off by a part of the outline.
    assert _covered(canvas).sum() == pytest.approx(
        np.pi * 20 * half_height, rel=0.03)
    rows, columns = np.nonzero(_covered(canvas))
    assert rows.mean() == pytest.approx(38, abs=0.1)
    assert columns.mean() == pytest.approx(40, abs=0.1)


def test_depth_is_that_of_the_front_surface():
    canvas = _canvas()
    canvas.ellipsoid(
        np.array([40.0, 40.0, 5.0]), np.diag([20.0, 20.0, 10.0]),
        _paint([1, 1, 1]))
    # In the middle 10 in front of the centre; 12 px aside, 20 having been
    # 1, sqrt(1 - 0.6^2) = 0.8 of it.
    assert canvas.depth[40, 40] == pytest.approx(15, abs=1e-4)
    assert canvas.depth[40, 52] == pytest.approx(13, abs=1e-4)


def test_paint_is_told_the_place_on_the_solid():
    seen = []

    def paint(x, y, z):
        seen.append(np.stack([x, y, z], 1))
        return np.zeros((len(x), 3), np.float32)

    _canvas().ellipsoid(
        np.array([40.0, 40.0, 0.0]), np.diag([20.0, 10.0, 5.0]), paint)
    # Inside the outline (whose smoothed rim reaches half a pixel further)
    # places lie on the unit sphere, on its front.
    norms = np.linalg.norm(seen[0], axis=1)
    assert norms.max() < 1 + 1 / 10
    assert np.median(norms) == pytest.approx(1, abs=1e-5)
    assert seen[0][:, 2].min() > -1e-5


@pytest.mark.parametrize('near_first', [True, False])
def test_the_nearer_solid_is_seen_in_any_order(near_first):
    canvas = _canvas()
    solids = [(30.0, [0, 0, 200]), (0.0, [0, 200, 0])]
    for depth, color in solids if near_first else solids[::-1]:
        canvas.ellipsoid(
            np.array([40.0, 40.0, depth]), np.diag([9.0, 9.0, 9.0]),
            _paint(color))
    np.testing.assert_allclose(canvas.image[40, 40], [0, 0, 200], atol=1e-3)


def test_a_new_person_hides_the_last_one():
    canvas = _canvas()
    canvas.ellipsoid(
        np.array([40.0, 40.0, 30.0]), np.diag([9.0, 9.0, 9.0]),
        _paint([0, 0, 200]))
    canvas.start_person()
    canvas.ellipsoid(
        np.array([40.0, 40.0, 0.0]), np.diag([9.0, 9.0, 9.0]),
        _paint([0, 200, 0]))
    np.testing.assert_allclose(canvas.image[40, 40], [0, 200, 0], atol=1e-3)


def test_limb_has_its_radii():
    canvas = _canvas()
    canvas.limb(
        np.array([20.0, 40.0, 0.0]), np.array([60.0, 40.0, 20.0]), (4.0, 12.0),
        _paint([1, 1, 1]))
    covered = _covered(canvas)
    # The radius grows by 1 in 5 px; at x = 40 it is 8. Pixels that lie on
    # the outline itself do not count.
    assert covered[:, 20].sum() == 2 * 4 - 1
    assert covered[:, 40].sum() == 2 * 8 - 1
    assert covered[:, 60].sum() == 2 * 12 - 1
    # Round ends reach one radius beyond the joints.
    assert np.flatnonzero(covered[40]).tolist() == list(range(17, 72))
    # Its axis rises from 0 to 20, its surface is one radius in front.
    assert canvas.depth[40, 40] == pytest.approx(10 + 8, abs=1e-4)


def test_tube_widens():
    canvas = _canvas()
    # From half width 10 at y = 20 to 20 at y = 60, seen from the side.
    canvas.tube(
        np.array([40.0, 20.0, 0.0]), np.diag([10.0, 40.0, 5.0]), 1.0,
        _paint([1, 1, 1]))
    covered = _covered(canvas)
    widths = covered.sum(1)
    assert widths[:19].sum() == 0
    assert widths[62:].sum() == 0
    # Rows between the ends: half width 10 + (y - 20) / 4, a pixel each side.
    for y in (30, 40, 50):
        assert widths[y] == pytest.approx(2 * (10 + (y - 20) / 4), abs=2)


def test_light_from_the_left_lights_the_left():
    canvas = Canvas(
        np.zeros((80, 80, 3), np.float32), np.array([-1.0, 0.0, 0.0]), 0.2)
    canvas.ellipsoid(
        np.array([40.0, 40.0, 0.0]), np.diag([20.0, 20.0, 20.0]),
        _paint([100, 100, 100]))
    # 45 degrees to the light: 0.2 + 0.8 cos 45, dimmed by 0.72 + 0.28 cos 45.
    cosine = np.sqrt(1 - (14 / 20)**2), 14 / 20
    left = 100 * (0.2 + 0.8 * cosine[1]) * (0.72 + 0.28 * cosine[0])
    right = 100 * 0.2 * (0.72 + 0.28 * cosine[0])
    np.testing.assert_allclose(canvas.image[40, 26], left, rtol=1e-3)
    np.testing.assert_allclose(canvas.image[40, 54], right, rtol=1e-3)


def test_solids_outside_the_image_leave_it_alone():
    canvas = _canvas(20)
    canvas.ellipsoid(
        np.array([-50.0, 5.0, 0.0]), np.diag([9.0, 9.0, 9.0]),
        _paint([1, 1, 1]))
    canvas.limb(
        np.array([5.0, 90.0, 0.0]), np.array([9.0, 99.0, 0.0]), (3.0, 3.0),
        _paint([1, 1, 1]))
    assert not _covered(canvas).any()
    assert not canvas.image.any()
