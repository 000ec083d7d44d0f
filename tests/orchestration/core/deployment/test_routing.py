"""Who gets how much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.deployment.routing import Backend, all_to, canary, releases_of, rolled


def processes(release: str, count: int) -> list[Backend]:
    return [Backend(release=release, replica=n, port=1000 + n) for n in range(1, count + 1)]


@given(st.integers(1, 10), st.integers(1, 10), st.integers(1, 99))
def test_a_canary_gets_exactly_its_percent(old: int, new: int, percent: int) -> None:
    routing = canary(processes("old", old), processes("new", new), percent)
    total = sum(one.weight for one in routing)
    assert sum(one.weight for one in routing if one.release == "new") * 100 == percent * total
    assert len({one.weight for one in routing if one.release == "new"}) == 1


def test_a_canary_without_an_old_release_gets_all() -> None:
    assert canary([], processes("new", 2), 10) == all_to(processes("new", 2))


@given(st.integers(0, 10), st.integers(1, 10))
def test_rolling_keeps_the_number_of_processes_and_ends_with_the_new_ones_alone(old: int, new: int) -> None:
    routing = tuple(processes("old", old))
    for number, one in enumerate(processes("new", new), 1):
        routing = rolled(routing, one, number=number, of=new)
        assert sum(each.release == "new" for each in routing) == number
        assert len(routing) >= min(max(old, 1), new)
    assert releases_of(routing) == ("new",) and len(routing) == new


def test_rolling_the_same_process_twice_changes_nothing() -> None:
    old, new = processes("old", 3), processes("new", 3)[0]
    once = rolled(old, new, number=1, of=3)
    assert rolled(once, new, number=1, of=3) == once
