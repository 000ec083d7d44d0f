"""An attempt gets the least loaded endpoint that is well, never one session too many, also with many processes."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from foundation.clock import now
from orchestration.agents.claims import Superseded
from orchestration.agents.endpoints import health, lease, services
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.agent.session import Ended, EndReason, Health
from orchestration.models import AgentEndpoint, AgentLease
from tests.orchestration.agents.endpoints.scenes import ADMIN, WELL, added, attempt, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
ROOT = Path(__file__).parents[4]
CLAUDE = AgentType.CLAUDE


def had(found: object) -> str:
    assert isinstance(found, lease.Taken), found
    return found.endpoint.name


def refused(found: object) -> lease.NoneFree:
    assert isinstance(found, lease.NoneFree), found
    return found


def test_without_an_endpoint_it_is_told_how_to_add_or_enable_one() -> None:
    of = run()
    with pytest.raises(lease.NoEndpoint, match="agent add claude-1 --type CLAUDE --driver"):
        lease.take(CLAUDE, attempt(of))
    added("one")
    services.disable("one", actor=ADMIN)
    with pytest.raises(lease.NoEndpoint, match="agent enable one"):
        lease.take(CLAUDE, attempt(of))


def test_the_least_loaded_one_is_taken_and_none_over_its_concurrency() -> None:
    added("large", concurrency=3)
    added("small", concurrency=1)
    added("other", agent_type="CODEX", concurrency=9)
    of = run()
    names = [had(lease.take(CLAUDE, attempt(of, f"s{n}"))) for n in range(4)]
    assert sorted(names) == ["large", "large", "large", "small"] and set(names[:2]) == {"large", "small"}
    told = refused(lease.take(CLAUDE, attempt(of, "more")))
    assert "large has its 3 sessions" in told.why and 0 < told.wait_seconds <= 5


def test_an_endpoint_to_avoid_is_taken_only_when_no_other_is_free() -> None:
    added("bad")
    added("good")
    of = run()
    assert had(lease.take(CLAUDE, attempt(of, "a"), avoid=["bad"])) == "good"
    assert had(lease.take(CLAUDE, attempt(of, "b"), avoid=["bad"])) == "bad"


def test_what_is_given_back_is_free_again() -> None:
    added("one")
    of = run()
    taken = lease.take(CLAUDE, attempt(of, "a"))
    assert isinstance(taken, lease.Taken)
    refused(lease.take(CLAUDE, attempt(of, "b")))
    lease.give_back(taken.lease_id)
    assert had(lease.take(CLAUDE, attempt(of, "b"))) == "one"


def test_a_lease_that_is_not_renewed_lapses_and_one_that_is_holds() -> None:
    added("one")
    of = run()
    first = lease.take(CLAUDE, attempt(of, "a"))
    assert isinstance(first, lease.Taken) and lease.renew(first.lease_id)
    AgentLease.objects.update(until=now() - timedelta(seconds=1))
    second = lease.take(CLAUDE, attempt(of, "b"))
    assert had(second) == "one" and not lease.renew(first.lease_id)


def test_the_same_attempt_under_a_later_claim_takes_its_lease_over_at_once() -> None:
    """Its worker was killed: the next one does not wait for the lease to lapse."""
    added("one")
    of = run()
    had(lease.take(CLAUDE, attempt(of, "a", claim=1)))
    assert had(lease.take(CLAUDE, attempt(of, "a", claim=2))) == "one"
    assert AgentLease.objects.get().claim == 2
    with pytest.raises(Superseded):
        lease.take(CLAUDE, attempt(of, "a", claim=1))


PROGRAM = """
import django, sys
django.setup()
from orchestration.agents.endpoints import lease
from orchestration.core.agent.agent_type import AgentType
run_id, name, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
taken = []
for number in range(10):
    found = lease.take(
        AgentType.CLAUDE,
        lease.Attempt(run_id=run_id, step_id=f"{name}-{number}", iteration=1, attempt=1, claim=1), seconds=seconds,
    )
    if isinstance(found, lease.Taken):
        taken.append(found.endpoint.name)
print(",".join(taken), flush=True)
sys.stdin.readline()
"""


def process(env: dict[str, str], of: int, name: str, seconds: float) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(of), name, str(seconds)],
        cwd=ROOT, env=env | {"DJANGO_SETTINGS_MODULE": "zen_project.settings"}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None and started.stdout.readline() == "ready\n"
    return started


def go(started: subprocess.Popen[str]) -> None:
    assert started.stdin is not None
    started.stdin.write("\n")
    started.stdin.flush()


def answer(started: subprocess.Popen[str]) -> list[str]:
    assert started.stdout is not None
    return [name for name in started.stdout.readline().strip().split(",") if name]


def test_two_processes_at_once_never_have_more_sessions_than_there_are(process_env: dict[str, str]) -> None:
    added("x", concurrency=4)
    added("y", concurrency=3)
    of = run()
    with process(process_env, of.pk, "p", 600) as one, process(process_env, of.pk, "q", 600) as other:
        go(one)
        go(other)
        names = [*answer(one), *answer(other)]
        go(one)
        go(other)
    assert sorted(names) == ["x"] * 4 + ["y"] * 3 and AgentLease.objects.count() == 7


def test_the_leases_of_a_process_that_was_killed_come_back(process_env: dict[str, str]) -> None:
    added("x", concurrency=2)
    of = run()
    with process(process_env, of.pk, "p", 600) as killed:
        go(killed)
        assert answer(killed) == ["x", "x"]
        told = refused(lease.take(CLAUDE, attempt(of, "mine")))
        assert "has its 2 sessions" in told.why
        killed.kill()
    AgentLease.objects.update(until=now())  # nobody renews them, and their time passes
    assert had(lease.take(CLAUDE, attempt(of, "mine"))) == "x" and AgentLease.objects.count() == 1


def test_after_failures_in_a_row_the_circuit_opens_and_one_attempt_tries_it() -> None:
    row, of = added("one", concurrency=5), run()
    crash = Ended(reason=EndReason.CRASHED, error="exited with 1")
    for _ in range(health.FAILURES - 1):
        health.note_end(row.pk, crash, by=ADMIN)
    taken = lease.take(CLAUDE, attempt(of, "a"))
    assert isinstance(taken, lease.Taken)
    lease.give_back(taken.lease_id)
    health.note_end(row.pk, crash, by=ADMIN)
    told = refused(lease.take(CLAUDE, attempt(of, "b")))
    assert "failed 3 times in a row, the last with: exited with 1" in told.why and 30 < told.wait_seconds <= 60
    AgentEndpoint.objects.update(open_until=now() - timedelta(seconds=1))
    assert had(lease.take(CLAUDE, attempt(of, "c"))) == "one"
    assert "is tried with one attempt" in refused(lease.take(CLAUDE, attempt(of, "d"))).why
    health.note_end(row.pk, Ended(reason=EndReason.END_TURN), by=ADMIN)
    assert had(lease.take(CLAUDE, attempt(of, "d"))) == "one"


def test_only_a_person_who_asks_closes_the_circuit_by_a_check() -> None:
    row, of = added("one"), run()
    for _ in range(health.FAILURES):
        health.note_end(row.pk, Ended(reason=EndReason.CRASHED), by=ADMIN)
    health.note_check(row.pk, WELL, by=ADMIN, mended=False)
    assert "failed 3 times in a row" in refused(lease.take(CLAUDE, attempt(of))).why
    health.note_check(row.pk, WELL, by=ADMIN)
    assert had(lease.take(CLAUDE, attempt(of))) == "one"


def test_a_rate_limit_holds_it_back_until_its_reset() -> None:
    row, of = added("one"), run()
    reset = now() + timedelta(seconds=100)
    health.note_end(row.pk, Ended(reason=EndReason.RATE_LIMITED, retry_at=reset), by=ADMIN)
    told = refused(lease.take(CLAUDE, attempt(of)))
    assert "provider's limit until" in told.why and 90 < told.wait_seconds <= 100
    added("two")
    assert had(lease.take(CLAUDE, attempt(of))) == "two"


def test_a_reset_that_is_past_is_waited_for_as_one_that_nobody_knows() -> None:
    row, of = added("one"), run()
    health.note_end(row.pk, Ended(reason=EndReason.RATE_LIMITED, retry_at=now() - timedelta(days=90)), by=ADMIN)
    assert 50 < refused(lease.take(CLAUDE, attempt(of))).wait_seconds <= 60


def test_signed_out_it_is_out_of_service_until_a_check_finds_it_well() -> None:
    row, of = added("one"), run()
    health.note_end(row.pk, Ended(reason=EndReason.AUTH, error="Not logged in"), by=ADMIN)
    health.note_end(row.pk, Ended(reason=EndReason.END_TURN), by=ADMIN)  # of a session that had begun before
    told = refused(lease.take(CLAUDE, attempt(of)))
    assert "out of service: Not logged in (mend it, then `manage.py agent check one`)" in told.why
    health.note_check(row.pk, Health(installed=True, signed_in=False, detail="sign in"), by=ADMIN)
    assert "out of service: sign in" in refused(lease.take(CLAUDE, attempt(of))).why
    assert AgentEndpoint.objects.get().out_since is not None
    health.note_check(row.pk, WELL, by=ADMIN)
    assert had(lease.take(CLAUDE, attempt(of))) == "one"


def test_one_that_is_not_installed_is_passed_over_until_it_is_looked_at_again() -> None:
    row, of = added("one"), run()
    health.note_check(row.pk, Health(installed=False, detail="claude is not on the PATH"), by=ADMIN)
    assert "is not well: claude is not on the PATH" in refused(lease.take(CLAUDE, attempt(of))).why
    AgentEndpoint.objects.update(health_at=now() - timedelta(seconds=health.FAILING_SECONDS + 1))
    assert had(lease.take(CLAUDE, attempt(of))) == "one"
