"""Have presses interpreted, oldest first, and tell each person what came of theirs. Any number of workers may.

The answer is stored before it is told: a worker that takes over for a lost one tells it, and decides nothing anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db.models import Case, When

from foundation.clock import now
from foundation.db.outages import AWAY, heal
from foundation.outbox import outcome
from foundation.outbox.backoff import after
from foundation.outbox.claim import keep, mine, take_each, takeable, up_to_the_lost
from foundation.outbox.worker import Kind, work_through
from notifications.channels.envelope import Outcome
from notifications.models import Press
from notifications.slack.handled import answer_of
from notifications.slack.tell import tell

log = logging.getLogger(__name__)

MOST_AT_ONCE = 50
AT_ONCE = 4
LEASE = timedelta(seconds=60)
"""Kept while an attempt lasts."""

AGAIN = timedelta(seconds=1)
"""When to try again what the database did not do."""

ATTEMPTS = 5
"""So many answers Slack takes to one press (https://docs.slack.dev/interactivity/handling-user-interaction)."""

MOST_LOST = 20
"""So many workers may be lost while doing one: then it is taken for what ends them."""

LOST = (
    "It is not known what came of this: the site was interrupted again and again while doing it. "
    "The request's page, which the message leads to, shows what is decided."
)


def work_presses() -> int:
    """Attempt up to MOST_AT_ONCE presses that are due; returns how many. One that breaks keeps no other waiting."""
    bury_the_lost()
    return work_through(PRESSES, limit=MOST_AT_ONCE, at_once=AT_ONCE)


def claim(most: int) -> list[Press]:
    """Up to `most` presses that are due: first those that nothing came of yet, so that none waits for what is told."""
    at = now()
    due = Press.objects.filter(takeable(at, attempts=MOST_LOST), done_at=None)
    due = due.order_by(Case(When(answer="", then=0), default=1), "due_at", "id")[:most]
    return take_each(up_to_the_lost(due), at, LEASE, attempts=MOST_LOST)


def bury_the_lost() -> None:
    """What MOST_LOST workers were lost over is done no more. Its person is told so, in one last attempt."""
    at = now()
    lost = outcome.lost_in_the_last(Press.objects.filter(done_at=None), attempts=MOST_LOST)
    if not lost.exists():
        return
    undecided = {"status": Press.QUEUED, "due_at": at, "lease_until": None, "answer": LOST}
    if told := lost.filter(answer="").update(**undecided):
        log.error("%s presses are given up: %s workers were lost while doing each", told, MOST_LOST)
    if dead := outcome.bury_the_lost(Press.objects.filter(done_at=None), attempts=MOST_LOST, done_at=at):
        log.error("%s answers to presses are given up: workers were lost while telling each", dead)


def _begin(row: Press) -> Callable[[], Outcome] | None:
    """What tells the answer; None while the database fails."""
    try:
        row.answer = row.answer or answer_of(row)
        open_still = mine(row).filter(done_at=None)  # a worker of the release before marks what it takes by `done_at`
        return partial(tell, row.response_url, row.answer) if open_still.update(answer=row.answer) else None
    except AWAY as error:
        log.warning("press %s waits for the database: %s", row.pk, error)
        heal()
        outcome.put_off(row, now() + AGAIN)
        return None


def store_end(row: Press, told: Outcome) -> bool:
    """Write the end of an attempt; False when the claim was lost to another worker, whose end counts."""
    at = now()
    if told.is_sent:
        return outcome.ended(row, Press.ANSWERED, done_at=at)
    log.warning("the answer to press %s in Slack was not taken: %s", row.pk, told.error)
    wait = None if told.permanent else after(row.attempts, most=ATTEMPTS, retry_after=told.retry_after)
    return outcome.ended(row, Press.DEAD, done_at=at) if wait is None else outcome.due_again(row, at + wait)


def _broke(row: Press, error: Exception) -> None:
    """Put it off. What broke MOST_LOST times before it had an answer is told to be unknown."""
    if row.answer:
        store_end(row, Outcome(error=type(error).__name__))
        return
    wait = after(row.attempts, most=MOST_LOST)
    answer = {"answer": LOST} if wait is None else {}
    outcome.due_again(row, now() + (wait or timedelta()), **answer)


PRESSES: Kind[Press, Outcome] = Kind(
    name="press",
    claim=lambda most: claim(most),
    begin=_begin,
    finish=store_end,
    broke=_broke,
    keep=lambda rows: keep(rows, LEASE),
)
