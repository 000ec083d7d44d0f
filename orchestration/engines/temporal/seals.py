"""Each message to and from a workflow carries a code that only this site can make.

Without it, anyone who may write to the Temporal namespace could act on a run without a stored message, a name or an
audit row: by an Update, by a workflow that they start, by an activity that they order, or by an answer in a worker's
place.

The codes of a run are checked where something is received, and in replays too: a history may have been made by a worker
that is not ours. So a key that was replaced has to stay in SECRET_KEY_FALLBACKS until the runs of its time have ended.
Runs of earlier releases (`is_sealed`) have codes on their messages at most; the database says which runs those are.
"""

from __future__ import annotations

import dataclasses
import hmac
import json
from typing import TypeVar

from django.conf import settings
from django.utils.crypto import salted_hmac

from orchestration.engines.temporal.dto import Deliver, Perform, Record, Start, Taken
from orchestration.models.run import SEALED_RULES

SALT = "orchestration.engines.temporal"
Order = TypeVar("Order", Perform, Record)


def is_sealed(rules: int) -> bool:
    """Whether everything of a run with these rules carries a seal."""
    return rules >= SEALED_RULES


def delivery(workflow_id: str, message_id: str, event: str) -> Deliver:
    """A stored message, for its workflow and under its id only."""
    return Deliver(event=event, seal=_seal(settings.SECRET_KEY, "deliver", workflow_id, message_id, event))


def is_ours(workflow_id: str, message_id: str, told: Deliver) -> bool:
    """Whether this site sent the message under this id to this workflow."""
    return _holds(told.seal, "deliver", workflow_id, message_id, told.event)


def took(workflow_id: str, message_id: str, taken: Taken) -> str:
    """What a workflow answers to a message that it has taken: SEAL:HEARD:EXECUTION."""
    text = f"{taken.heard}:{taken.execution}"
    return f"{_seal(settings.SECRET_KEY, 'took', workflow_id, message_id, text)}:{text}"


def who_took(workflow_id: str, message_id: str, given: str) -> Taken | None:
    """Which execution took a message, by its answer; None when no workflow of this site has answered."""
    seal, _, text = given.partition(":")
    if not _holds(seal, "took", workflow_id, message_id, text):
        return None
    heard, _, execution = text.partition(":")
    return Taken(execution=execution, heard=int(heard))


def sealed(start: Start) -> Start:
    """The start with its seal."""
    return dataclasses.replace(start, seal=_seal(settings.SECRET_KEY, *_parts_of_start(start)))


def is_our_start(start: Start) -> bool:
    """Whether this site started the workflow with this."""
    return _holds(start.seal, *_parts_of_start(start))


def ordered(workflow_id: str, order: Order) -> Order:
    """The order with its seal, which holds for its own run only."""
    return dataclasses.replace(order, seal=_seal(settings.SECRET_KEY, *_parts_of_order(workflow_id, order)))


def is_our_order(workflow_id: str, order: Perform | Record) -> bool:
    """Whether a workflow of this site gave this order for its own run."""
    return _holds(order.seal, *_parts_of_order(workflow_id, order))


def answer(workflow_id: str, run_pk: int, event: str) -> str:
    """The end of an attempt, for the workflow of its run: SEAL:JSON."""
    return f"{_seal(settings.SECRET_KEY, 'answer', workflow_id, str(run_pk), event)}:{event}"


def opened(workflow_id: str, run_pk: int, given: str) -> str | None:
    """The end of an attempt as JSON; None when no process of this site has answered this."""
    seal, _, event = given.partition(":")
    return event if _holds(seal, "answer", workflow_id, str(run_pk), event) else None


def _parts_of_start(start: Start) -> tuple[str, ...]:
    given = dataclasses.asdict(start)
    del given["seal"]
    if not start.rules:  # it was sealed before there were such fields
        del given["rules"], given["heard"]
    return "start", json.dumps(given, sort_keys=True)


def _parts_of_order(workflow_id: str, order: Perform | Record) -> tuple[str, ...]:
    """Of each attempt, so without a detour; how many there are of each kind makes them unambiguous."""
    run = workflow_id, str(order.run_pk), str(order.heard), str(len(order.pages))
    if isinstance(order, Perform):
        return "perform", *run, *order.pages, order.command
    return "record", *run, *order.pages, str(order.finished), *order.cancels


def _holds(seal: str, *parts: str) -> bool:
    if not seal:
        return False
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(seal.encode(), _seal(str(key), *parts).encode()) for key in keys)


def _seal(key: str, *parts: str) -> str:
    return salted_hmac(SALT, json.dumps(parts), secret=key, algorithm="sha256").hexdigest()
