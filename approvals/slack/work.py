"""What a press means: whose account it is, and their decision through the one door."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.db import InterfaceError, OperationalError

from approvals.models import Press
from approvals.people import person_of
from approvals.services import Evidence, decide
from approvals.slack.meaning import meant
from notifications import ports
from orchestration import roles
from orchestration.clock import now
from orchestration.errors import ZenError

log = logging.getLogger(__name__)

MOST_AT_ONCE = 50
SLACK_HOST = "hooks.slack.com"
ANSWER_SECONDS = 10.0
BROKEN = (
    "Nothing is decided: something went wrong here, and whoever keeps this site can read about it in the log. "
    "Decide on the request's page, which the message leads to."
)


def work_presses() -> int:
    """Do what waits, oldest first. Two workers never do the same one: the row is claimed with its answer.

    One that cannot be done keeps no other waiting. Where the database does not do its part it waits for the next sweep.
    """
    done = 0
    for press in Press.objects.filter(done_at=None).order_by("id")[:MOST_AT_ONCE]:
        try:
            done += _work(press)
        except (OperationalError, InterfaceError) as error:
            log.warning("press %s waits for the database: %s", press.pk, error)
    return done


def _work(press: Press) -> bool:
    answer = press.answer or _answer(press)
    if not Press.objects.filter(pk=press.pk, done_at=None).update(done_at=now(), answer=answer):
        return False
    _tell(press, answer)
    return True


def _answer(press: Press) -> str:
    try:
        return _meaning(press)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("press %s could not be done", press.pk)
        return BROKEN


def _meaning(press: Press) -> str:
    """Decide, and say how that went. Doing it twice is a double click, which the door knows."""
    found = meant(press)
    if isinstance(found, str):
        return found
    user, request = found.user, found.request
    actor = roles.actor_for(user, door="slack")
    evidence = Evidence(strength="slack", detail={"team": press.team, "slack_user": press.slack_user})
    try:
        after = decide(
            request_id=request.request_id, actor=actor, person=person_of(user), choice=found.word,
            comment=press.comment, answers=press.answers, evidence=evidence, seen=request.shown_hash,
        )  # fmt: skip
    except ZenError as error:
        return f"{error.message[:1].upper()}{error.message[1:]}. {error.remedy}".strip()
    return f"Heard: {found.word}. The request is {after.status.replace('_', ' ')}."


def _tell(press: Press, answer: str) -> None:
    """Only the person who pressed sees it. The message itself is changed when the request is settled."""
    host = urlsplit(press.response_url).hostname
    if host not in (SLACK_HOST, urlsplit(settings.ZEN_NOTIFY_SLACK_URL).hostname):
        return
    body = {"response_type": "ephemeral", "replace_original": False, "text": answer}
    try:
        with httpx2.Client(transport=ports.transport(), timeout=ANSWER_SECONDS, follow_redirects=False) as client:
            client.post(press.response_url, json=body)
    except Exception as error:  # noqa: BLE001 - the decision stands; the guard and the network have many errors
        log.warning("the answer to a press in Slack was not taken: %s", type(error).__name__)
