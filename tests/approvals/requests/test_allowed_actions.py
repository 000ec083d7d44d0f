"""What a request's `allowed_actions` costs does not grow with the square of its seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from approvals.core.approval import guards
from approvals.requests import allowed_actions
from tests.approvals.scenes import asked
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db


def counted(counts: Counter[str], monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    before: Callable[..., Any] = getattr(module, name)

    def counting(*given: Any) -> Any:
        counts[name] += 1
        return before(*given)

    monkeypatch.setattr(module, name, counting)


def test_seats_that_an_administrator_may_reassign_are_not_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    admin, names = account("adm", "administrator"), [f"p{number}" for number in range(40)]
    for name in names:
        account(name)
    few, many = asked(approvers=tuple(names[:4])), asked(approvers=tuple(names))
    work: list[Counter[str]] = []
    for request in (few, many):
        counts: Counter[str] = Counter()
        work.append(counts)
        with monkeypatch.context() as patched:
            counted(counts, patched, allowed_actions, "refusal")
            counted(counts, patched, guards, "can_pass")
            offers = allowed_actions.offers_for(request, admin)
        assert list(offers.seats.values()) == names[: len(request.plan["stages"][0]["people"])]
        assert "reassign" in offers.names
    assert work[0] == work[1] and work[0]["refusal"] > 0, work
