"""The picture of several training runs, looked at in its pixels."""
import numpy as np
import pytest
from training_plots import draw_trainings

BLUE, ORANGE = (178, 114, 0), (0, 94, 213)  # BGR


def is_color(picture, color):
    return (np.abs(picture - color) < 8).all(axis=2)


def test_means_and_seeds_are_where_their_scores_are():
    """A mean of 20 between 10 and 30, in one row; below it one of 40."""
    picture = draw_trainings(
        {'a': [{1: 10.0}, {1: 30.0}], 'b$_$': [{1: 40.0}]}, 'PCK').astype(int)
    rings = picture[:, :picture.shape[1] // 2]
    rows, columns = np.nonzero(is_color(rings, BLUE))
    columns -= columns.min()
    # The stroke of the mean is 0.56 rows high, a ring 7 points.
    height = np.bincount(columns)
    stroke = np.flatnonzero(height > 0.9 * height.max())
    # Rings reach as far to the left as to the right of the mean of 10 and 30.
    assert stroke.mean() == pytest.approx(columns.max() / 2, abs=2)
    assert rows.max() < np.nonzero(is_color(rings, ORANGE))[0].min()


def test_epochs_that_a_seed_lacks_are_not_drawn():
    drawn, expected = (
        draw_trainings({'a': [seed, {1: 10.0, 3: 30.0}]}, 'PCK')
        for seed in ({1: 10.0, 2: 20.0, 3: 30.0}, {1: 10.0, 3: 30.0}))
    assert (drawn == expected).all()


@pytest.mark.parametrize('groups', [{}, {'a': []}, {'a': [{1: 1.0}, {}]}])
def test_groups_without_scores_are_refused(groups):
    with pytest.raises(ValueError):
        draw_trainings(groups, 'PCK')
