"""Turns and statistics, against numbers worked out by hand."""
import pytest
import timing
from timing import measure, summarize


def test_median_and_quartiles_by_hand():
    # Sorted 1 2 3 10: quartiles at positions 0.75 and 2.25 from 0.
    summary = summarize([10.0, 1.0, 3.0, 2.0])
    assert summary.median == pytest.approx(2.5)
    assert summary.low == pytest.approx(1.75)
    assert summary.high == pytest.approx(4.75)


def test_no_round_is_refused():
    with pytest.raises(ValueError, match='no round'):
        summarize([])


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when a contender says so."""
    now = [100.0]
    monkeypatch.setattr(timing.time, 'perf_counter', lambda: now[0])
    return now


def test_contenders_take_turns_after_warming_up(clock):
    order = []

    def contender(name, seconds):

        def call():
            order.append(name)
            clock[0] += seconds

        return call

    measured = measure({
        'slow': contender('slow', 3.0),
        'fast': contender('fast', 2.0)
    },
                       rounds=2,
                       seconds=1.0,
                       warmup=2)
    assert order == 2 * ['slow'] + 2 * ['fast'] + 2 * ['slow', 'fast']
    assert measured == {'slow': [3.0, 3.0], 'fast': [2.0, 2.0]}


def test_a_quick_contender_is_called_until_its_turn_is_full(clock):
    calls = []

    def call():
        calls.append(clock[0])
        clock[0] += 0.25

    measured = measure({'quick': call}, rounds=3, seconds=0.6, warmup=1)
    # One call to warm up, ceil(0.6 / 0.25) = 3 in each of three rounds.
    assert len(calls) == 1 + 3 * 3
    assert measured == {'quick': [0.25] * 3}


def test_memory_is_kept_for_those_that_keep_it(clock, monkeypatch):
    order = []
    monkeypatch.setattr(timing, 'set_freed_memory', order.append)

    def contender(name):

        def call():
            order.append(name)
            clock[0] += 1.0

        return call

    measure({name: contender(name) for name in 'abc'},
            rounds=1,
            seconds=1.0,
            warmup=1,
            keeping='bc')
    # After a change of the setting a call that is not timed.
    assert order == [*'abc', 'default', *'aa', 'keep', *'bb', 'c']
