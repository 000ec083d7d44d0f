"""What agents tell by ACP: a cost since the session began, and messages between a terminal's own words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration.agents.drivers.acp.updates import Updates
from orchestration.agents.drivers.acp.wire import _message
from orchestration.core.agent.events import UsageReported


def costs(before: str, *amounts: float) -> list[Decimal | None]:
    updates = Updates()
    updates.cost_before = Decimal(before)
    found: list[Decimal | None] = []
    for amount in amounts:
        update = {"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": {"amount": amount, "currency": "USD"}}
        events = updates.events({"sessionId": "s", "update": update})
        found += [one.cost_usd for one in events if isinstance(one, UsageReported)]
    return found


def test_a_cost_is_that_of_the_session_and_what_was_paid_before_is_not_paid_again() -> None:
    assert costs("2", 2.25, 2.5, 4.0) == [Decimal("0.25"), Decimal("0.5"), Decimal(2)]
    assert costs("0", 2.25) == [Decimal("2.25")]


def test_an_agent_that_counts_anew_when_a_session_goes_on_is_believed() -> None:
    assert costs("2", 0.25, 2.5) == [Decimal("0.25"), Decimal("2.5")]


@pytest.mark.parametrize("before", [b"", b"\x1b]0;opencode: ready\x07\x1b]0;x\x07", b"\x1b[?2004h", b"\xef\xbb\xbf"])
def test_a_message_is_read_whatever_moves_a_terminal_before_it(before: bytes) -> None:
    assert _message(before + b'{"jsonrpc":"2.0","id":1,"result":{}}\r') == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize("line", [b"\x1b[31mready\x1b[0m", b"[1]", b'"id"', b"{", b"\xff{}"])
def test_what_is_no_message_is_none(line: bytes) -> None:
    assert _message(line) is None
