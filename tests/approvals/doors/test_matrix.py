"""Who may do what, door by door: one table, and every door has to agree with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from approvals.client import submit_approval_decision
from approvals.models import Delegation, Remark, Request, Vote
from approvals.requests import publish_policy
from approvals.requests.messages.texts import button_of
from foundation.clock import now
from foundation.errors import ZenError
from foundation.models import ApiToken
from notifications.models import Contact
from notifications.slack.worker import work_presses
from tests.approvals.doors.test_slack import SECRET, send
from tests.approvals.scenes import asked
from tests.orchestration.api.test_runs import post
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = {
    "stranger": None,  # an account without a role
    "viewer": ("viewer",),
    "operator": ("operator",),
    "seated": ("approver",),
    "bystander": ("approver",),  # decides other things
    "administrator": ("administrator",),
    "requester": ("operator", "approver"),  # named among the approvers as well
    "closed": ("approver",),  # named, and the account was closed since
}


@pytest.fixture
def request_of_all(settings: Settings) -> Request:
    """Asked by the requester; those who sit there are `seated`, and `closed` until the account was closed."""
    settings.ZEN_RESCUE_GRACE_SECONDS = 0
    for name, roles in PEOPLE.items():
        account(name, *roles) if roles else User.objects.create_user(name, f"{name}@example.com")
    account("colleague")
    User.objects.update(is_staff=True)
    for number, name in enumerate(PEOPLE):
        Contact.objects.create(user=User.objects.get(username=name), slack_id=f"U0{number}")
    stage = {"name": "one", "who": {"users": ["seated", "closed", "requester"]}, "must_comment_on": []}
    publish_policy(data={"policy": "p", "cooling_off": "1h", "stages": [stage]}, actor=ADA)
    made = asked(policy="p", actor=actor(account("requester", "operator")), request_id="a-1", description="May it?")
    User.objects.filter(username="closed").update(is_active=False)
    return made


def bearer(who: str, **token: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(User.objects.get(username=who), **token)[1]}"})


def session(who: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=who))
    return client


def by_api(who: str, request: Request, word: str) -> None:
    post(bearer(who), f"approvals/{request}/decide/", {"decision": word, "seen": request.shown_hash})


def by_page(who: str, request: Request, word: str) -> None:
    form = {"seen": request.shown_hash, "act": "decide", "choice": word}
    session(who).post(f"/admin/approvals/request/{request.pk}/change/", form)


def by_bulk(who: str, request: Request, word: str) -> None:
    form = {"pick": request.pk, f"seen:{request.pk}": request.shown_hash, "choice": word}
    session(who).post("/admin/approvals/request/inbox/bulk/", form)


def by_python(who: str, request: Request, word: str) -> None:
    with suppress(ZenError):
        asyncio.run(submit_approval_decision(request.request_id, who, word))


def by_console(who: str, request: Request, word: str) -> None:
    with suppress(SystemExit, Exception):
        call_command("approval", word, str(request), "--as", who, "--yes")


def by_slack(who: str, request: Request, word: str) -> None:
    user = Contact.objects.get(user__username=who).slack_id
    action = {"action_id": word, "action_ts": "1764000000.1", "value": button_of(request, word)}
    body = {"team": {"id": "T1"}, "user": {"id": user}, "actions": [action]}
    assert send(urlencode({"payload": json.dumps(body)}).encode()) == 200
    work_presses()


DOORS: dict[str, Callable[[str, Request, str], None]] = {
    "api": by_api, "page": by_page, "bulk": by_bulk, "python": by_python, "console": by_console, "slack": by_slack,
}  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("who", PEOPLE)
def test_one_person_decides_through_whatever_door(
    request_of_all: Request, settings: Settings, who: str, door: str
) -> None:
    settings.ZEN_SLACK_SIGNING_SECRET = SECRET
    told = bearer(who).get("/api/v1/approvals/a-1/") if who != "closed" else None
    if told is not None and told.status_code == 200:
        assert ("approve" in told.json()["allowed_actions"]) == (who == "seated")
    DOORS[door](who, request_of_all, "approve")
    assert [vote.name for vote in Vote.objects.all()] == (["seated"] if who == "seated" else [])


EVERYBODY = {"viewer", "operator", "seated", "bystander", "administrator", "requester"}
MAY: dict[str, set[str]] = {
    "remark": EVERYBODY,
    "remind": {"operator", "administrator", "requester"},
    "withdraw": {"administrator", "requester"},
    "resubmit": {"administrator", "requester"},
    "hand-on": {"seated"},
    "hand-on-of-seated": {"administrator", "seated"},
    "name-people": {"administrator"},
    "revoke": {"seated", "administrator"},
    "delegate": EVERYBODY,
    "delegate-for-another": {"administrator"},
}
DURING = {"resubmit": "request-changes", "revoke": "approve", "name-people": "rescue"}
"""What has been said, or has happened, when the act is tried."""

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "remark": ("approvals/a-1/remarks/", {"kind": "comment", "text": "hm"}),
    "remind": ("approvals/a-1/remind/", {}),
    "withdraw": ("approvals/a-1/withdraw/", {}),
    "resubmit": ("approvals/a-1/resubmit/", {"description": "And now?"}),
    "hand-on": ("approvals/a-1/reassign/", {"to": "bystander"}),
    "hand-on-of-seated": ("approvals/a-1/reassign/", {"to": "bystander", "person": "seated"}),
    "name-people": ("approvals/a-1/name-people/", {"users": ["bystander"]}),
    "revoke": ("approvals/a-1/revoke/", {}),
    "delegate": ("delegations/", {"to": "bystander"}),
    "delegate-for-another": ("delegations/", {"to": "bystander", "owner": "colleague"}),
}
FORMS: dict[str, dict[str, Any]] = {
    "remark": {"act": "remark", "kind": "comment", "text": "hm"},
    "remind": {"act": "remind"},
    "withdraw": {"act": "withdraw"},
    "resubmit": {"act": "resubmit", "description": "And now?"},
    "hand-on-of-seated": {"act": "hand-on", "to": "bystander"},
    "name-people": {"act": "name-people", "users": "bystander"},
    "revoke": {"act": "revoke"},
}


def made_ready(request: Request, act: str) -> None:
    match DURING.get(act):
        case "rescue":
            User.objects.filter(username="seated").update(is_active=False)
            from approvals.requests.state.reconcile import reconcile

            reconcile()
        case str(word):
            says("seated", word, request)
        case None:
            pass
    request.refresh_from_db()


def traces(request: Request) -> tuple[Any, ...]:
    """What any of the acts would change."""
    request.refresh_from_db()
    state = {name: value for name, value in request.state.items() if name != "version"}
    return request.status, request.round, json.dumps(state), Remark.objects.count(), Delegation.objects.count()


def said_beforehand(who: str, act: str) -> bool | None:
    """Whether `allowed_actions` has the act; None for what is no act on a request, and for who may not read it.

    `reassign` means one's own place or, with `person`, another's: nothing is said of a place one has not.
    """
    if act == "hand-on" and who in MAY["hand-on-of-seated"] - MAY["hand-on"]:
        return None
    name = CALLS[act][0].removeprefix("approvals/a-1/").strip("/")
    answer = bearer(who).get("/api/v1/approvals/a-1/")
    if not CALLS[act][0].startswith("approvals/") or answer.status_code != 200:
        return None
    return name in answer.json()["allowed_actions"]


@pytest.mark.parametrize("act", MAY)
@pytest.mark.parametrize("who", [*sorted(EVERYBODY), "stranger"])
def test_other_acts_by_the_api(request_of_all: Request, who: str, act: str) -> None:
    made_ready(request_of_all, act)
    before, (path, body) = traces(request_of_all), CALLS[act]
    if path == "delegations/":
        if who == "bystander":
            body = body | {"to": "seated"}
        body = body | {"starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=1)).isoformat()}
    told = said_beforehand(who, act)
    answer = post(bearer(who), path, body)
    done = answer.status_code in (200, 201)
    assert told in (None, done), "allowed_actions said otherwise"
    assert done == (who in MAY[act]) and (traces(request_of_all) != before) == done, answer.content
    assert done or answer.status_code in (401, 403, 409), answer.content


@pytest.mark.parametrize("act", FORMS)
@pytest.mark.parametrize("who", [*sorted(EVERYBODY), "stranger"])
def test_other_acts_on_the_page(request_of_all: Request, who: str, act: str) -> None:
    made_ready(request_of_all, act)
    before, form = traces(request_of_all), FORMS[act]
    if act == "hand-on-of-seated":
        form = form | {"person": f"user:{User.objects.get(username='seated').pk}"}
    session(who).post(f"/admin/approvals/request/{request_of_all.pk}/change/", form)
    assert (traces(request_of_all) != before) == (who in MAY[act])


@pytest.mark.parametrize("act", MAY)
@pytest.mark.parametrize("token", ["reader", "agent"])
def test_a_token_is_good_for_no_more_than_it_says(request_of_all: Request, token: str, act: str) -> None:
    """Of an administrator, who may do what nobody else may; their agent speaks and reminds, and no more."""
    made_ready(request_of_all, act)
    client = bearer("administrator", scopes=["view"]) if token == "reader" else bearer("administrator", agent=True)
    before, (path, body) = traces(request_of_all), CALLS[act]
    if path == "delegations/":
        body = body | {"starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=1)).isoformat()}
    told = client.get("/api/v1/approvals/a-1/").json()["allowed_actions"]
    assert set(told) <= ({"remarks", "remind"} if token == "agent" else set())
    answer = post(client, path, body)
    done = token == "agent" and act in ("remark", "remind")
    assert (answer.status_code in (200, 201)) == done and (traces(request_of_all) != before) == done, answer.content
