"""The picture of several trainings, looked at in its pixels."""
import numpy as np
import pytest
from training_plots import draw_trainings

BLUE, ORANGE = (178, 114, 0), (0, 94, 213)  # BGR


def pixels(picture, color):
    """Rows and columns in which a colour is."""
    return np.nonzero((np.abs(picture.astype(int) - color) < 8).all(axis=2))


def halves(picture, color):
    """The same in the left and in the right half."""
    rows, columns = pixels(picture, color)
    middle = picture.shape[1] // 2
    return [(rows[side], columns[side] - columns[side].min())
            for side in (columns < middle, columns >= middle)]


def test_means_and_seeds_are_where_their_scores_are():
    """A mean of 20 between 10 and 30, in one row; below it one of 40."""
    picture = draw_trainings({
        'a': [{1: 10.0}, {1: 30.0}],
        'b': [{1: 40.0}]
    }, 'PCK')
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    (rows, columns), _ = halves(picture, BLUE)
    # The stroke of the mean is 0.56 rows high, a ring 7 points.
    height = np.bincount(columns)
    stroke = np.flatnonzero(height > 0.9 * height.max())
    # Rings reach as far to the left as to the right of the mean of 10 and 30.
    assert stroke.mean() == pytest.approx(columns.max() / 2, abs=2)
    (below, _), _ = halves(picture, ORANGE)
    assert rows.max() < below.min()


def test_curves_rise_to_the_right_within_the_range_of_the_seeds():
    picture = draw_trainings(
        {'a': [{
            1: 10.0,
            2: 20.0
        }, {
            1: 10.0,
            2: 40.0
        }]}, 'PCK')
    middle = picture.shape[1] // 2
    right = picture[:, middle:].astype(int)
    line = (np.abs(right - BLUE) < 8).all(axis=2)
    # The range: 15 % of the colour over white.
    band = (np.abs(right - (0.15 * np.array(BLUE) + 0.85 * 255)) < 4).all(
        axis=2)
    end = np.flatnonzero(band.sum(axis=0) > 50)[-5]
    reach = np.flatnonzero(band[:, end])
    on_line = np.flatnonzero(line[:, end])
    # At the end the mean, 30, is halfway between 20 and 40.
    assert on_line.mean() == pytest.approx(reach[[0, -1]].mean(), abs=4)


def test_epochs_that_a_seed_lacks_are_not_drawn():
    seeds = [{1: 10.0, 2: 20.0, 3: 30.0}, {1: 10.0, 3: 30.0}]
    without = [{1: 10.0, 3: 30.0}] * 2
    assert (draw_trainings({'a': seeds},
                           'PCK') == draw_trainings({'a': without},
                                                    'PCK')).all()


def test_names_are_not_formulas():
    assert draw_trainings({'a$_$b': [{1: 1.0}]}, '$').shape[2] == 3


@pytest.mark.parametrize('groups', [{}, {'a': []}, {'a': [{1: 1.0}, {}]}])
def test_groups_without_scores_are_refused(groups):
    with pytest.raises(ValueError):
        draw_trainings(groups, 'PCK')
