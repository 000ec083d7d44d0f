"""Nobody is taken for dead before the database has been within reach for a lease's time."""

from __future__ import annotations

from orchestration.workers.database_watch import Steady


def steady(*renewals: float, up_for: float = float("inf")) -> Steady:
    found = Steady(6)
    for at in renewals:
        found.renewed(at, up_for=up_for)
    return found


def test_a_server_that_has_long_been_up_speaks_for_the_time_before_the_first_renewal() -> None:
    assert steady(100, up_for=3600).lasts(100.5)
    assert not steady(100, up_for=2).lasts(100.5)
    assert steady(100, 102, 104, up_for=2).lasts(104.5)


def test_before_the_first_renewal_nobody_is() -> None:
    assert not steady().lasts(1e9)


def test_while_the_own_lease_cannot_be_renewed_nobody_is() -> None:
    assert steady(100, 102).lasts(105)
    assert not steady(100, 102).lasts(107)


def test_after_a_gap_living_workers_have_a_leases_time_to_renew() -> None:
    assert not steady(100, 102, 112).lasts(112.5)
    assert not steady(100, 102, 112, 114, 116).lasts(117.9)
    assert steady(100, 102, 112, 114, 116).lasts(118.5)
