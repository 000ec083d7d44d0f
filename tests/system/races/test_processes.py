"""The races that matter most, between processes: nothing but the database keeps them apart."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from approvals.core.approval.state import STATE
from approvals.models import Request
from foundation.clock import now
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.crash.workers import ROOT
from tests.system.races.scenes import ends_of, opened, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]

TIMES = 8
Race = Callable[..., list[list[Any]]]


@pytest.fixture
def race(process_env: dict[str, str]) -> Iterator[Race]:
    """Two acts in two processes at the same moment: what each of them came to."""
    command = [sys.executable, "-m", "tests.system.races.other_process"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    others = [
        subprocess.Popen(command, cwd=ROOT, env=process_env, text=True, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    try:
        assert [other.stdout.readline() for other in others] == ["ready\n"] * 2

        def run(*acts: tuple[Any, ...]) -> list[list[Any]]:
            at = time.time() + 0.05
            for other, (act, *arguments) in zip(others, acts, strict=True):
                other.stdin.write(json.dumps([act, arguments, at]) + "\n")
                other.stdin.flush()
            return [json.loads(other.stdout.readline()) for other in others]

        yield run
    finally:
        for other in others:
            other.stdin.close()
            other.wait(PATIENCE_SECONDS)
            other.stdout.close()


def refused(outcomes: list[list[Any]]) -> list[str]:
    return [words for kind, words in outcomes if kind == "refused"]


def test_two_last_votes_reach_the_quorum_once(race: Race) -> None:
    for _ in range(TIMES):
        request = opened(how_many="all")
        outcomes = race(("says", "bob", "approve", str(request)), ("says", "carol", "approve", str(request)))
        assert refused(outcomes) == [] and sorted(status for _, status in outcomes) == ["approved", "pending"]
        assert whole(request).status == "approved" and ends_of(request) == ["approved"]


def test_of_two_who_press_at_once_one_decides_and_the_other_hears_who(race: Race) -> None:
    for number in range(TIMES):
        request, other = opened(), "approve" if number % 2 else "reject"
        outcomes = race(("says", "bob", "approve", str(request)), ("says", "carol", other, str(request)))
        (words,) = refused(outcomes)
        request = whole(request)
        assert re.search(rf"{request.status} already by {request.votes.get().name}, since ", words)


def test_the_same_person_twice_is_heard_once(race: Race) -> None:
    for _ in range(TIMES):
        request = opened()
        press = ("says", "bob", "approve", str(request))
        assert refused(race(press, press)) == [] and whole(request).votes.count() == 1


def test_a_vote_and_the_end_of_the_clock(race: Race) -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=3600)
        late = (now() + timedelta(hours=2)).isoformat()
        outcomes = race(("says", "bob", "approve", str(request)), ("timer", request.run_id, late))
        request = whole(request)
        assert request.status == ("expired" if refused(outcomes) else "approved") and len(ends_of(request)) == 1


def test_a_vote_and_a_withdrawal(race: Race) -> None:
    for _ in range(TIMES):
        request = opened()
        outcomes = race(("says", "bob", "approve", str(request)), ("withdraw", str(request)))
        request = whole(request)
        assert len(refused(outcomes)) == 1 and ends_of(request) == [request.status]
        assert f"{request.status} already" in refused(outcomes)[0]


def test_two_sweepers_end_what_is_overdue_once(race: Race) -> None:
    for _ in range(TIMES):
        request = opened(timeout_seconds=3600)
        long_ago = now() - timedelta(hours=3)
        state = STATE.validate_python(request.state)
        moved = STATE.dump_python(state, mode="json") | {
            "opened_at": long_ago.isoformat(), "clock_from": long_ago.isoformat(),
        }  # fmt: skip
        Request.objects.filter(pk=request.pk).update(state=moved, next_at=long_ago + timedelta(hours=1))
        outcomes = race(("reconcile",), ("reconcile",))
        assert refused(outcomes) == [] and sum(done for _, done in outcomes) == 1
        assert whole(request).status == "expired" and ends_of(request) == ["expired"]
