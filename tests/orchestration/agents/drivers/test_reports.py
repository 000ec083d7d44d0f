"""What an agent says of its tokens, its cost and its limits is kept within what money and calendars have."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from foundation import clock
from orchestration.agents.base import EndReason, SessionSpec
from orchestration.agents.drivers.failures import failure_of
from orchestration.agents.drivers.limits import LONGEST_WAIT
from orchestration.agents.drivers.over import SessionOver
from orchestration.agents.drivers.session import MOST_COST, MOST_TOKENS, MOST_TURNS, Session
from orchestration.core.agent.events import Event, UsageReported
from orchestration.core.agent.session import Usage


def session(found: list[Event], **more: object) -> Session:
    spec = SessionSpec(cwd=Path("/"), prompt="x", **more)  # type: ignore[arg-type]
    return Session(spec, on_event=found.append, ask=lambda _: None, cancelled=threading.Event())


@pytest.mark.parametrize("cost", ["-1000", "NaN", "-Infinity", "Infinity", "1e400"])
def test_a_cost_that_is_none_takes_and_gives_no_money(cost: str) -> None:
    """Less than nothing would be free for other tasks of the project."""
    found: list[Event] = []
    talk = session(found, max_cost_usd=Decimal(5))
    talk.tell(UsageReported(usage=Usage(input=7), cost_usd=Decimal("2.5")))
    if cost == "1e400":
        with pytest.raises(SessionOver) as over:
            talk.tell(UsageReported(usage=Usage(input=7), cost_usd=Decimal(cost)))
        assert over.value.reason is EndReason.OVER_BUDGET and talk.cost_usd == MOST_COST
        return
    talk.tell(UsageReported(usage=Usage(input=-7, output=10**40), cost_usd=Decimal(cost)))
    ended = talk.ended(SessionOver(EndReason.END_TURN))
    assert (ended.cost_usd, ended.usage) == (Decimal("2.5"), Usage(output=MOST_TOKENS))
    assert [one.cost_usd for one in found if isinstance(one, UsageReported)] == [Decimal("2.5")] * 2


def test_what_was_spent_is_not_taken_back() -> None:
    talk = session([])
    talk.settle(Usage(), Decimal(4))
    talk.settle(Usage(), Decimal(0))
    talk.turns = 10**30
    ended = talk.ended(SessionOver(EndReason.END_TURN))
    assert (ended.cost_usd, ended.turns) == (Decimal(4), MOST_TURNS)


def test_a_moment_of_no_calendar_is_none() -> None:
    found = failure_of("rate limit resets at 2026-13-45T99:99:99Z")
    assert (found.reason, found.retry_at) == (EndReason.RATE_LIMITED, None)


@pytest.mark.parametrize("text", ["\n" * 300_000, "a" * 300_000, f"must specify {'a' * 300_000}"], ids=("ws", "a", "b"))
def test_a_long_error_is_read_at_once(text: str) -> None:
    began = time.thread_time()
    assert failure_of(f"{text} 429 Too Many Requests").reason is EndReason.RATE_LIMITED
    assert time.thread_time() - began < 5


def test_nobody_waits_for_an_agent_till_the_end_of_time() -> None:
    latest = clock.now() + timedelta(seconds=LONGEST_WAIT + 60)
    by_text = SessionOver.by("rate limit resets at 9999-01-01T00:00:00Z")
    ended = session([]).ended(by_text)
    assert ended.retry_at is not None and ended.retry_at < latest
    without_zone = SessionOver(EndReason.RATE_LIMITED, retry_at=datetime(2030, 1, 1))  # noqa: DTZ001
    assert session([]).ended(without_zone).retry_at is None
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert session([]).ended(SessionOver(EndReason.RATE_LIMITED, retry_at=soon)).retry_at == soon
