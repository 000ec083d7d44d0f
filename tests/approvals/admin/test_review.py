"""The page between a bulk yes and its deciding: all that a yes is to, and no more loaded than that."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.admin import review
from approvals.models import Vote
from approvals.policies.principals import person_of
from approvals.requests import remark, resubmit
from tests.approvals.admin import scenes
from tests.approvals.admin.test_doors import INBOX, client_of
from tests.approvals.admin.test_shown_whole import approvable, to_review
from tests.system.contract.cast import account, actor, says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def everybody() -> None:
    for role in ("viewer", "approver"):
        account(role, role)
    scenes.cast()


def noted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """The requests that this part of the page was called with."""
    rows: list[int] = []
    before = getattr(review, name)

    def called(row: Any, *more: Any) -> Any:
        rows.append(row.pk)
        return before(row, *more)

    monkeypatch.setattr(review, name, called)
    return rows


def test_the_review_page_shows_the_whole_title_the_facts_and_the_votes() -> None:
    row = scenes.asked(
        "t" * 280 + "THEEND", description="", context={"a": {"b": {"c": 1, "d": 2, "e": 3, "f": 4}}}, how_many="all",
        facts={"commit": "FOUNDOUT"},
    )  # fmt: skip
    says("bob", "approve", row, "only on SUNDAY")
    row.refresh_from_db()
    shown = to_review(row)
    assert approvable(row, shown) and "<details>" not in shown
    assert all(word in shown for word in ("THEEND", "FOUNDOUT", "SUNDAY", "bob"))


def test_what_was_asked_before_or_talked_about_is_decided_on_its_own_page() -> None:
    olga, bob = account("olga"), account("bob")
    again, talked = scenes.asked("Again"), scenes.asked("Talked")
    says("bob", "request-changes", again, "other words, please")
    resubmit(request_id=str(again), actor=actor(olga), description="v2")
    remark(request_id=str(talked), actor=actor(bob), person=person_of(bob), kind="question", text="Really?")
    shown = to_review(again, talked)
    assert not approvable(again, shown) and "it was asked before" in shown
    assert not approvable(talked, shown) and "what was asked and said about it" in shown


def test_a_viewer_has_nothing_loaded() -> None:
    row, client = scenes.asked(), client_of("viewer")
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(f"{INBOX}bulk/", {"pick": row.pk, "choice": "approve"})
    assert answer.status_code == 403 and not any('"content"' in one["sql"] for one in asked.captured_queries)


def test_no_more_is_loaded_than_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = noted(monkeypatch, "_whole")
    monkeypatch.setattr(review, "MOST_STORED", 5_000)
    rows = [scenes.asked(f"No {n}", context={"x": "y" * size}) for n, size in enumerate((1_000, 6_000, 1_000, 3_500))]
    shown = to_review(*rows)
    assert loaded == [rows[0].pk, rows[2].pk]
    assert [approvable(row, shown) for row in rows] == [True, False, True, False]


def test_once_the_page_is_full_nothing_is_loaded_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = noted(monkeypatch, "_whole")
    rows = [scenes.asked(f"No {n}", context={f"n{i}": i for i in range(1_400)}) for n in range(3)]
    shown = to_review(*rows)
    assert len(loaded) == 2 and approvable(rows[0], shown) and not approvable(rows[1], shown)
    assert "too long to be shown here" in shown and rows[2].title in shown


def test_consequences_are_worked_out_for_what_can_be_approved_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = noted(monkeypatch, "consequences")
    ended = scenes.asked("Ended")
    says("bob", "approve", ended)
    short = scenes.asked("Short", context={})
    to_review(ended, scenes.asked("Long", context={"text": "x" * 2001}), short)
    assert asked == [short.pk]


def test_a_yes_to_what_has_changed_is_tried_again_by_way_of_the_review_page() -> None:
    row, client = scenes.asked("Changed", context={}), client_of("approver")
    form = {"pick": row.pk, "choice": "approve", f"seen:{row.pk}": "0" * 64}
    page = client.post(f"{INBOX}bulk/", form).content.decode()
    assert "has changed since it was shown" in page and "Retry the refused" in page
    assert f'name="pick" value="{row.pk}"' in page and f"seen:{row.pk}" not in page
    assert approvable(row, to_review(row)) and not Vote.objects.exists()


def test_another_word_about_what_has_changed_is_not_tried_again_unseen() -> None:
    row, client = scenes.asked("Changed", context={}), client_of("approver")
    form = {"pick": row.pk, "choice": "reject", "comment": "no", f"listed:{row.pk}": "0" * 64}
    page = client.post(f"{INBOX}bulk/", form).content.decode()
    assert "Open it to decide it." in page and "Retry the refused" not in page


def test_a_yes_that_is_refused_otherwise_keeps_what_it_is_to() -> None:
    scenes.chain_of_two(must_comment_on=["approve"])
    row, client = scenes.asked("Comment", context={}, policy="two", approvers=()), client_of("approver")
    page = client.post(f"{INBOX}bulk/", {"pick": row.pk, "choice": "approve", f"seen:{row.pk}": row.shown_hash})
    assert f'name="seen:{row.pk}" value="{row.shown_hash}"' in page.content.decode()
