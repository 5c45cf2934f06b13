"""The picture of several training runs."""
import pytest
from training_plots import draw_trainings


def test_epochs_that_a_seed_lacks_are_not_drawn():
    drawn, expected = (
        draw_trainings({'a': [seed, {1: 10.0, 3: 30.0}]}, 'PCK')
        for seed in ({1: 10.0, 2: 20.0, 3: 30.0}, {1: 10.0, 3: 30.0}))
    assert (drawn == expected).all()


@pytest.mark.parametrize('groups', [{}, {'a': []}, {'a': [{1: 1.0}, {}]}])
def test_groups_without_scores_are_refused(groups):
    with pytest.raises(ValueError):
        draw_trainings(groups, 'PCK')
