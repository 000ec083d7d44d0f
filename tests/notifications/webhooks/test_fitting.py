"""A callback fits, whatever people wrote: it never stops the decision that it tells."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.external_flow import APPROVAL
from approvals.models import Request
from approvals.requests.messages.callback_payload import DECIDED, fitting
from foundation.canonical_json import moment
from foundation.clock import now
from notifications.models import Callback
from notifications.webhooks.outbox import BELOW_BYTES, _payload
from tests.approvals.scenes import asked
from tests.system.contract.cast import account, says

NAMES = tuple(f"p{number}" for number in range(8))
wide = st.sampled_from(["a", "é", "好", "😀", "\x01", '"', "\\", "\u2028"])


def long(most: int) -> st.SearchStrategy[str]:
    """Long texts of few kinds of characters, which is what grows."""
    return st.builds(lambda sign, count: sign * count, wide, st.integers(0, most))


votes = st.lists(
    st.fixed_dictionaries({"name": long(300), "decision": st.just("approve"), "comment": long(10_000)}), max_size=11
)
edits = st.dictionaries(long(20), long(5000), max_size=3)
bodies = st.fixed_dictionaries({
    **{name: long(300) for name in ("words", "stage", "title", "about", "decided_by")},
    "request_id": st.just("r" * 200), "status": st.just("approved"), "content_hash": st.just("0" * 64),
    "decided_at": st.just("2026-11-25T09:30:00+00:00"), "whole": st.just(f"https://zen.example/{'r' * 200}/"),
    "votes": votes, "edits": edits,
})  # fmt: skip


@given(bodies)
def test_it_always_fits_and_says_what_was_cut(told: dict[str, Any]) -> None:
    short = fitting(told)
    around = {"type": DECIDED, "timestamp": moment(now()), "subject": f"approval:{'9' * 19}", "sequence": 2**63}
    assert len(_payload({**around, "data": short}).encode()) < BELOW_BYTES
    assert short.keys() == told.keys() | {"cut"} and short["whole"] == told["whole"]
    kept = list(zip(short["votes"], told["votes"], strict=False))
    assert [vote["name"] for vote, _ in kept] == [whole["name"] for _, whole in kept]
    assert ("votes" in short["cut"]) == (len(short["votes"]) < len(told["votes"]))
    assert ("edits" in short["cut"]) == (short["edits"] != told["edits"])
    comments = [(vote["comment"], whole["comment"]) for vote, whole in kept]
    assert ("comments" in short["cut"]) == any(vote != whole for vote, whole in comments)
    assert all(vote == whole or (vote[-1] == "…" and whole.startswith(vote[:-1])) for vote, whole in comments)


@given(bodies)
def test_what_fits_is_told_whole(told: dict[str, Any]) -> None:
    small = {**told, "votes": [{**vote, "name": "n", "comment": vote["comment"][:50]} for vote in told["votes"][:10]]}
    small["edits"] = {"a": 1}
    assert fitting(small) == {**small, "cut": []}


def test_comments_are_cut_before_anything_is_left_out() -> None:
    told = {"title": "t", "whole": "w", "edits": {"a": 1}, "votes": [{"name": "n", "comment": "好" * 1000}] * 8}
    short = fitting(told)
    assert (short["cut"], short["edits"], len(short["votes"])) == (["comments"], {"a": 1}, 8)
    assert len(short["votes"][0]["comment"]) == 500


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_long_comments_stop_no_decision() -> None:
    for name in NAMES:
        account(name)
    request = asked(approvers=NAMES, how_many="all", callback_url="https://example.org/x")
    for name in NAMES:
        says(name, "approve", request, "好" * 1000)
    assert Request.objects.get().status == "approved"
    payload = Callback.objects.get().payload
    data = json.loads(payload)["data"]
    assert len(payload.encode()) < BELOW_BYTES and data["cut"] == ["comments"]
    assert data["whole"] == f"http://localhost:8000/api/v1/approvals/{request}/" and len(data["votes"]) == 8


@pytest.mark.django_db(transaction=True)
def test_long_comments_stop_no_deadline() -> None:
    for name in NAMES:
        account(name)
    request = asked(approvers=NAMES, how_many="all", callback_url="https://example.org/x")
    for name in NAMES[:7]:
        says(name, "approve", request, "好" * 10_000)
    assert APPROVAL.on_timer(request.run_id, now() + timedelta(days=30)).ended
    assert json.loads(Callback.objects.get().payload)["data"]["status"] == "expired"
