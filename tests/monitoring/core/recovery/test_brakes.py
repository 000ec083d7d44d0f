"""Brakes put off and let through again, and their budgets hold whatever happens."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.recovery import brakes, storm
from monitoring.core.recovery.brakes import Circuit, budget_free_at, cooldown_until
from tests.monitoring.core.cases import NOON, ago, ahead


def test_the_pause_triples_up_to_an_hour_and_differs_between_runs() -> None:
    for number, seconds in ((1, 60), (2, 180), (3, 540), (9, 3600)):
        pause = (cooldown_until(NOON, number, 60, "a") - NOON).total_seconds()
        assert seconds <= pause <= 1.2 * seconds
    assert cooldown_until(NOON, 1, 60, "a") != cooldown_until(NOON, 1, 60, "b")
    assert cooldown_until(NOON, 1, 0, "a") == NOON


@given(st.integers(1, 5), st.lists(st.integers(0, 300), max_size=60))
def test_no_hour_has_more_acts_than_the_budget(most: int, gaps: list[int]) -> None:
    now = NOON
    acted: list[datetime] = []
    for gap in gaps:
        now += timedelta(seconds=gap)
        free = budget_free_at(acted, most, now)
        if free is None:
            acted.append(now)
        else:
            assert now < free <= now + brakes.HOUR
            assert budget_free_at(acted, most, free) is None
    for at in acted:
        assert sum(at - brakes.HOUR < other <= at for other in acted) <= most


def test_a_circuit_opens_lets_one_try_and_closes() -> None:
    circuit = Circuit()
    for worked in (True, True, False, False, True, False, False):
        circuit = brakes.told(circuit, worked, NOON)
        assert brakes.lets(circuit, NOON) is None
    circuit = brakes.told(circuit, False, NOON)
    assert brakes.lets(circuit, NOON) == circuit.open_until == ahead(900)
    assert brakes.told(circuit, True, NOON) == circuit  # of an attempt from before
    assert brakes.lets(circuit, ahead(900)) is None
    trial = brakes.tried(circuit)
    assert brakes.lets(trial, ahead(900)) is not None
    again = brakes.told(trial, False, ahead(1000))
    assert again.open_until == ahead(1000 + 1800) and brakes.lets(again, ahead(2000)) == again.open_until
    assert brakes.told(brakes.tried(again), True, ahead(3000)) == Circuit()


@given(st.lists(st.booleans(), max_size=40))
def test_a_circuit_is_never_open_for_longer_than_four_hours(results: list[bool]) -> None:
    circuit = Circuit()
    for worked in results:
        circuit = brakes.told(brakes.tried(circuit), worked, NOON)
        assert circuit.open_until is None or circuit.open_until <= NOON + brakes.LONGEST_OPEN


def test_what_a_storm_is() -> None:
    assert not storm.begins(9, 9) and storm.begins(10, 33) and not storm.begins(10, 34) and storm.begins(50, 10_000)


def test_one_is_tried_and_twice_as_many_after_each_round_that_worked() -> None:
    state, now, rounds = storm.begun(NOON), NOON, []
    for _ in range(4):
        count = storm.room(state, now)
        rounds.append(count)
        state = storm.sent(state, count, now)
        assert storm.room(state, now) == 0
        for _ in range(count):
            state = storm.told(state, True, now + timedelta(seconds=1))
        assert storm.room(state, now + timedelta(seconds=9)) == 0
        now += timedelta(seconds=10)
    assert rounds == [1, 2, 4, 8]
    state = storm.told(storm.sent(state, 16, now), False, now)
    assert state.ramp == 8 and storm.room(state, now) == 0 and storm.room(state, now + timedelta(seconds=10)) == 8


def test_failing_canaries_are_ever_further_apart() -> None:
    state, now, pauses = storm.begun(NOON), NOON, []
    for _ in range(4):
        state = storm.told(storm.sent(state, 1, now), False, now)
        pauses.append((state.next_at - now).total_seconds())
        now = state.next_at
    assert pauses == [10, 30, 60, 60] and storm.room(state, now) == 1
    assert storm.told(storm.sent(state, 1, now), True, now).failures == 0


def test_a_storm_is_over_after_five_quiet_minutes_with_nothing_waiting() -> None:
    state = storm.begun(ago(300))
    assert storm.is_over(state, NOON, 0) and not storm.is_over(state, NOON, 1) and not storm.is_over(state, ago(1), 0)
    assert not storm.is_over(storm.told(storm.sent(state, 1, ago(10)), False, ago(5)), NOON, 0)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=80))
def test_an_outage_never_sees_more_than_one_canary_at_a_time(moments: list[tuple[int, bool]]) -> None:
    state, now, calls = storm.begun(NOON), NOON, []
    for gap, _ in moments:
        now += timedelta(seconds=gap)
        if storm.room(state, now):
            calls.append(now)
            state = storm.told(storm.sent(state, storm.room(state, now), now), False, now)
        assert state.ramp == 1
    assert len(calls) <= 3 + sum(gap for gap, _ in moments) / 60
