"""What breaks around a press: the handler, the workers, the telling, the payload. The person hears of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.requests import Ask, ask
from foundation.clock import now
from foundation.ports import named
from notifications.channels.envelope import Outcome
from notifications.models import Contact, Press
from notifications.slack import worker
from notifications.slack.handled import BROKEN, UNKNOWN
from notifications.slack.worker import LOST, MOST_LOST, work_presses
from tests.approvals.doors.test_slack import SECRET, payload, send
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


class Handler:
    """Answers what a test wants."""

    said: Any = None

    def modal(self, press: Press) -> Any:
        raise RuntimeError("no window")

    def problems(self, press: Press) -> Any:
        return None

    def answer(self, press: Press) -> Any:
        return self.said


HANDLER = Handler()


@pytest.fixture(autouse=True)
def app(settings: Settings) -> None:
    settings.ZEN_SLACK_SIGNING_SECRET = SECRET
    Contact.objects.create(user=account("bob"), slack_id="U0B0B")


@pytest.fixture
def asked() -> Request:
    return ask(given=Ask(stage="s", description="?", approvers=("bob",)), actor=ADA, engine="celery")[0]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []

    def tell(url: str, text: str) -> Outcome:
        texts.append(text)
        return Outcome()

    monkeypatch.setattr(worker, "tell", tell)
    return texts


@pytest.mark.parametrize("said", [None, 5, "", "a\0b", "\ud800"])
def test_an_answer_that_cannot_be_told_is_not_waited_for(
    asked: Request,
    settings: Settings,
    told: list[str],
    said: Any,
) -> None:
    settings.ZEN_INTERACTION_HANDLER = f"{__name__}.HANDLER"
    HANDLER.said = said
    send(payload(asked))
    assert work_presses() == 1 and told == [UNKNOWN]
    assert Press.objects.get().status == "answered"


@pytest.mark.parametrize("path", ["nowhere.NOPE", f"{__name__}.NOPE", None])
@pytest.mark.parametrize("trigger", ["", "fresh"])
def test_a_handler_that_is_not_there_is_told_of(
    asked: Request,
    settings: Settings,
    told: list[str],
    path: Any,
    trigger: str,
) -> None:
    settings.ZEN_INTERACTION_HANDLER = path
    assert send(payload(asked, trigger_id=trigger)) == 200
    assert work_presses() == 1 and told == [BROKEN]
    assert Press.objects.get().status == "answered" and not Vote.objects.exists()


def test_a_window_that_breaks_is_told_of(asked: Request, settings: Settings, told: list[str]) -> None:
    settings.ZEN_INTERACTION_HANDLER = f"{__name__}.HANDLER"
    assert named(settings.ZEN_INTERACTION_HANDLER) is HANDLER
    assert send(payload(asked, trigger_id="fresh")) == 200
    assert work_presses() == 1 and told == [BROKEN]


def test_answers_that_are_not_taken_keep_no_decision_waiting(
    asked: Request,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "tell", lambda url, text: Outcome(error="away"))
    long_ago = now() - timedelta(minutes=5)
    Press.objects.bulk_create(
        Press(key=f"k{n}", team="T1", slack_user="U9", value="x|y", answer="No.", received_at=long_ago, due_at=long_ago)
        for n in range(worker.MOST_AT_ONCE + 10)
    )
    send(payload(asked))
    work_presses()
    assert Vote.objects.get().choice == "approve"


def lost(press: Press, attempts: int) -> None:
    until = now() - timedelta(seconds=1)
    Press.objects.filter(pk=press.pk).update(status="sending", attempts=attempts, lease_until=until)


def test_what_ends_its_workers_is_told_once_and_done_no_more(asked: Request, told: list[str]) -> None:
    send(payload(asked))
    lost(press := Press.objects.get(), MOST_LOST)
    assert work_presses() == 1 and work_presses() == 0
    press.refresh_from_db()
    assert told == [LOST] and press.status == "answered" and press.done_at and not Vote.objects.exists()


def test_what_ends_its_workers_when_it_is_told_is_given_up(asked: Request, told: list[str]) -> None:
    send(payload(asked))
    Press.objects.update(answer=LOST)
    lost(press := Press.objects.get(), MOST_LOST + 1)
    assert work_presses() == 0 and told == []
    press.refresh_from_db()
    assert press.status == "dead" and press.done_at


DEEP = 100_000
BUTTON = {"team": {"id": "T1"}, "user": {"id": "U0B0B"}, "actions": [{"action_ts": "1", "value": "v"}]}
HALF = {"action_ts": "\ud800", "value": "\ud800"}
WINDOW = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U0B0B"}}


def view(metadata: str) -> dict[str, Any]:
    return {"id": "V", "callback_id": "zen:window", "private_metadata": metadata, "state": {"values": {}}}


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"a":' * DEEP,
        json.dumps(BUTTON | {"actions": [HALF]}),
        json.dumps(BUTTON | {"user": {"id": "U\0"}}),
        json.dumps(WINDOW | {"view": view("[" * DEEP)}),
        json.dumps(WINDOW | {"view": view("[]")}),
    ],
    ids=["deep", "deep mapping", "half a character", "nul", "deep metadata", "other metadata"],
)
def test_junk_that_is_signed_does_nothing(text: str) -> None:
    assert send(urlencode({"payload": text}).encode()) == 200 and not Press.objects.exists()


def test_half_a_character_in_what_somebody_wrote_is_replaced(settings: Settings) -> None:
    settings.ZEN_INTERACTION_HANDLER = f"{__name__}.HANDLER"
    values = {"zen:comment": {"value": {"value": "no \ud800 way"}}}
    shown = view(json.dumps({"value": "v", "response_url": ""})) | {"state": {"values": values}}
    assert send(urlencode({"payload": json.dumps(WINDOW | {"view": shown})}).encode()) == 200
    assert Press.objects.get().comment == "no ? way"
