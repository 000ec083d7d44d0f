"""The window that a button opens: for the reason of a no, for a form; and what happens when it does not open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.requests import Ask, ask, publish_policy, withdraw
from notifications.delivery.worker import deliver_due
from notifications.models import Channel, Contact, Press
from notifications.slack.worker import work_presses
from tests.approvals.doors.test_slack import SECRET, payload, send, signed
from tests.notifications.slack_api import TOKEN, SlackApi, slack_api
from tests.system.contract.cast import account, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def slack(settings: Settings) -> Iterator[SlackApi]:
    settings.ZEN_SLACK_SIGNING_SECRET = SECRET
    settings.ZEN_SECRETS = {"SLACK_TOKEN": TOKEN}
    Contact.objects.create(user=account("bob"), slack_id="U0B0B")
    token = "{secret:SLACK_TOKEN}"
    Channel.objects.create(name="slack://deployments", kind="slack", target="#deployments", token=token)
    with slack_api() as running:
        settings.ZEN_NOTIFY_SLACK_URL = running.url
        yield running


def asked(must: list[str] | None = None, **more: Any) -> Request:
    """Shown in a channel, as its policy says."""
    stage: dict[str, Any] = {"name": "s", "who": {"users": ["bob"]}, "channels": ["slack://deployments"], **more}
    stage |= {} if must is None else {"must_comment_on": must}
    publish_policy(data={"policy": "p", "stages": [stage]}, actor=ADA)
    request, _ = ask(given=Ask(stage="s", title="Deploy 4.2", policy="p"), actor=ADA, engine="celery")
    deliver_due()
    return request


def press(request: Request, word: str = "reject", **more: Any) -> int:
    return send(payload(request, word, **{"trigger_id": "fresh", "type": "block_actions", **more}))


def submit(window: dict[str, Any], text: str | None, user: str = "U0B0B", filled: Any = None, **more: Any) -> Any:
    """What Slack sends once the person has pressed the window's button."""
    values = {"zen:comment": {"value": {"type": "plain_text_input", "value": text}}} | (filled or {})
    view = {name: window[name] for name in ("id", "callback_id", "private_metadata")} | {"state": {"values": values}}
    body = {"type": "view_submission", "team": {"id": "T1"}, "user": {"id": user}, "trigger_id": "fresh", "view": view}
    return signed(urlencode({"payload": json.dumps(body | more)}).encode())


def field_of(window: dict[str, Any]) -> dict[str, Any]:
    block: dict[str, Any]
    (block,) = [one for one in window["blocks"] if one.get("block_id") == "zen:comment"]
    return block


def test_a_no_asks_for_its_reason_and_keeps_it(slack: SlackApi) -> None:
    request = asked()
    assert press(request) == 200 and not Press.objects.exists(), "nothing is decided by the button alone"
    (window,) = slack.windows
    assert window["type"] == "modal" and field_of(window)["optional"] is False
    assert window["blocks"][0]["text"]["text"] == "Deploy 4.2"
    answer = submit(window, "the disk is full")
    assert (answer.status_code, answer.content) == (200, b""), "an empty answer closes the window"
    assert not Vote.objects.exists() and work_presses() == 1
    vote = Vote.objects.get()
    assert (vote.choice, vote.comment, vote.user, vote.door) == ("reject", "the disk is full", account("bob"), "slack")
    request.refresh_from_db()
    assert request.status == "rejected" and "rejected" in Press.objects.get().answer


def test_a_reason_that_is_demanded_is_more_than_blanks(slack: SlackApi) -> None:
    press(asked())
    for text in (None, "", "  \n"):
        answer = submit(slack.windows[0], text)
        assert answer.status_code == 200 and answer.json()["response_action"] == "errors"
        assert list(answer.json()["errors"]) == [field_of(slack.windows[0])["block_id"]]
    assert not Press.objects.exists()
    assert submit(slack.windows[0], "no").content == b"" and Press.objects.count() == 1


def test_where_none_is_demanded_it_may_be_left_out(slack: SlackApi) -> None:
    press(asked(must=[]))
    assert field_of(slack.windows[0])["optional"] is True
    slack.triggers.add("fresh")  # the submission has one as well, and opens nothing
    assert submit(slack.windows[0], None).content == b"" and len(slack.windows) == 1
    work_presses()
    assert Vote.objects.get().comment == ""


def test_a_yes_opens_no_window(slack: SlackApi) -> None:
    press(asked(), "approve")
    work_presses()
    assert slack.windows == [] and Vote.objects.get().choice == "approve"


FORM: list[dict[str, Any]] = [
    {"name": "ticket", "label": "Change ticket"},
    {"name": "wave", "type": "integer", "minimum": 1, "maximum": 10},
    {"name": "share", "type": "number", "required": False, "minimum": 0.5},
    {"name": "backed_up", "type": "boolean"},
    {"name": "region", "type": "choice", "choices": ["eu", "us"]},
    {"name": "day", "type": "date"},
    {"name": "why_not", "on": ["reject"], "required": False},
]
GIVEN: dict[str, dict[str, Any]] = {
    "ticket": {"type": "plain_text_input", "value": "CH-7"},
    "wave": {"type": "number_input", "value": "3"},
    "share": {"type": "number_input", "value": None},
    "backed_up": {"type": "radio_buttons", "selected_option": {"value": "yes"}},
    "region": {"type": "static_select", "selected_option": {"value": "us"}},
    "day": {"type": "datepicker", "selected_date": "2026-11-25"},
}


def filled(**changed: Any) -> dict[str, Any]:
    return {f"answers.{name}": {"value": state} for name, state in (GIVEN | changed).items()}


def test_a_yes_with_a_form_asks_for_it(slack: SlackApi) -> None:
    press(asked(form=FORM), "approve")
    (window,) = slack.windows
    inputs = {one["block_id"]: one for one in window["blocks"] if one["type"] == "input"}
    assert list(inputs) == [*filled(), "zen:comment"] and window["submit"]["text"] == "Approve"
    kinds = [one["element"]["type"] for one in inputs.values()]
    assert kinds == [*(state["type"] for state in GIVEN.values()), "plain_text_input"]
    assert [block for block, one in inputs.items() if one["optional"]] == ["answers.share", "zen:comment"]
    wave = inputs["answers.wave"]["element"]
    assert (wave["is_decimal_allowed"], wave["min_value"], wave["max_value"]) == (False, "1", "10")
    assert submit(window, None, filled=filled()).content == b"" and not Vote.objects.exists()
    work_presses()
    vote = Vote.objects.get()
    answers = {"ticket": "CH-7", "wave": 3, "backed_up": True, "region": "us", "day": "2026-11-25"}
    assert (vote.choice, vote.answers, vote.comment) == ("approve", answers, "")


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("wave", {"value": "11"}, "a whole number from 1 up to 10"),
        ("region", {"selected_option": {"value": "mars"}}, "one of: eu, us"),
        ("ticket", {"value": "  "}, "has to be answered"),
        ("day", {"selected_date": None}, "has to be answered"),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(slack: SlackApi, name: str, state: Any, said: str) -> None:
    press(asked(form=FORM), "approve")
    answer = submit(slack.windows[0], None, filled=filled(**{name: state})).json()
    assert list(answer["errors"]) == [f"answers.{name}"] and said in answer["errors"][f"answers.{name}"]
    assert not Press.objects.exists(), "and the window stays open for another try"


def test_a_no_asks_for_its_own_fields_and_a_yes_for_a_comment_where_it_needs_one(slack: SlackApi) -> None:
    request = asked(form=FORM, must=["approve"])
    for word in ("reject", "approve"):
        slack.triggers.add("fresh")
        press(request, word)
    no, yes = ({one.get("block_id"): one.get("optional") for one in window["blocks"]} for window in slack.windows)
    assert (no, yes["zen:comment"]) == ({None: None, "answers.why_not": True, "zen:comment": True}, False)
    assert submit(slack.windows[0], None, filled={"answers.why_not": {"value": {"value": "no disk"}}}).content == b""
    work_presses()
    assert Vote.objects.get().answers == {"why_not": "no disk"}


def test_a_button_is_bound_to_what_was_shown(slack: SlackApi) -> None:
    """Another decider has changed the content with their yes since the message came."""
    account("carol")
    stage = {"name": "s", "who": {"users": ["bob", "carol"]}, "how_many": "all", "editable": ["context.n"]}
    policy = {"policy": "e", "stages": [stage | {"channels": ["slack://deployments"]}]}
    publish_policy(data=policy, actor=ADA)
    request, _ = ask(given=Ask(stage="s", context={"n": 1}, policy="e"), actor=ADA, engine="celery")
    deliver_due()
    before = payload(request, "approve")
    says("carol", "approve", request, edits={"context.n": 2})
    send(before)
    work_presses()
    assert "has changed since" in Press.objects.get().answer and Vote.objects.count() == 1
    request.refresh_from_db()
    send(payload(request, "approve", user={"id": "U0B0B"}, ts="1764000000.2"))
    work_presses()
    assert "A yes is given here" in Press.objects.latest("pk").answer, "no message shows a context"
    assert not Vote.objects.filter(user=account("bob")).exists()


def test_the_window_sent_twice_is_one_word(slack: SlackApi) -> None:
    press(asked())
    for _ in range(3):
        submit(slack.windows[0], "no")
    work_presses()
    assert Press.objects.count() == Vote.objects.count() == 1


@pytest.mark.parametrize("how", ["late", "busy", "refused", "off"])
def test_where_no_window_opens_nothing_is_decided(slack: SlackApi, how: str) -> None:
    """Also where the policy demands no reason: the person may see the window after all."""
    request, more = asked(must=[]), {}
    match how:
        case "late":
            more = {"trigger_id": "stale"}
        case "busy":
            slack.fails(503)
        case "refused":
            slack.fails(error="invalid_auth")
        case "off":
            Channel.objects.update(enabled=False)
    assert press(request, **more) == 200
    work_presses()
    told = Press.objects.get().answer
    assert "Nothing is decided" in told and f"/approvals/{request}/" in told and not Vote.objects.exists()


def test_who_cannot_be_meant_gets_no_window_but_an_answer(slack: SlackApi) -> None:
    request = asked()
    press(request, user={"id": "U0EVE"})
    withdraw(request_id=str(request), actor=ADA)
    press(request)
    work_presses()
    assert slack.windows == []
    first, second = Press.objects.order_by("id").values_list("answer", flat=True)
    assert "not linked to an account" in first and "withdrawn already" in second


def test_what_came_first_stands_while_somebody_writes(slack: SlackApi) -> None:
    request = asked()
    press(request)
    says("bob", "approve", request)
    submit(slack.windows[0], "too late")
    work_presses()
    assert "approved already by bob" in Press.objects.get().answer and Vote.objects.get().choice == "approve"


def test_a_window_must_be_signed_and_ours(slack: SlackApi) -> None:
    press(asked())
    window = slack.windows[0]
    for wrong in ({**window, "callback_id": "other"}, {**window, "private_metadata": "[]"}):
        assert submit(wrong, "no").status_code == 200
    assert submit(window, "no", view={}).status_code == 200
    form = "application/x-www-form-urlencoded"
    assert Client().post("/integrations/slack/actions", b"payload={}", content_type=form).status_code == 401
    assert not Press.objects.exists()
    submit(window, "no", user="U0EVE")
    work_presses()
    assert "not linked to an account" in Press.objects.get().answer and not Vote.objects.exists()
