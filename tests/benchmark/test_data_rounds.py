"""Timing two pipelines transform by transform."""

import data
from data import measure_pipelines, transform_rows


class People:
    """A data set whose records say which person they are."""

    def get_data_info(self, index):
        return dict(person=index)


class Shared:
    """A transform that takes its time and remembers whom it saw."""

    def __init__(self, clock, seconds, seen):
        self.clock, self.seconds, self.seen = clock, seconds, seen

    def __call__(self, record):
        self.seen.append((record['person'], record['sample_idx'].seed))
        self.clock[0] += self.seconds
        return record


class OnlyOurs(Shared):
    """Another one."""


def test_pipelines_take_turns_person_by_person(monkeypatch):
    clock, seen = [0.0], []
    monkeypatch.setattr(data.time, 'perf_counter', lambda: clock[0])
    timings = measure_pipelines(
        {
            'ours': [Shared(clock, 1.0, seen),
                     OnlyOurs(clock, 2.0, [])],
            'MMPose': [Shared(clock, 4.0, seen)]
        },
        People(),
        people=2,
        rounds=2)
    # The first of three rounds warms up.
    assert timings == {
        'ours': dict(Shared=[1.0, 1.0], OnlyOurs=[2.0, 2.0]),
        'MMPose': dict(Shared=[4.0, 4.0])
    }
    assert seen == [(person, (0, number, person)) for number in range(3)
                    for person in range(2) for _ in range(2)]


def test_rows_of_transforms():
    shared, ours, stock = transform_rows(
        dict(Load=[1.0, 3.0], Crop=[5.0]), dict(
            Load=[4.0], Warp=[6.0]))
    assert shared == dict(
        name='Load', ours=2.0, ours_seconds=[1.0, 3.0], stock=4.0,
        stock_seconds=[4.0])
    assert ours == dict(name='Crop', ours=5.0, ours_seconds=[5.0])
    assert stock == dict(name='Warp', stock=6.0, stock_seconds=[6.0])
