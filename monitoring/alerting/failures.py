"""A run whose configuration says `alert_on_failure` tells of its failure at once, once, besides the rules."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth import get_user_model

from monitoring.alerting.addresses import run_page
from monitoring.core.alerting import SHIPPED, tells
from monitoring.core.facts import RunFacts
from monitoring.core.health import Health, Issue
from notifications.message import Message, verbatim
from notifications.services import existing_channels, notify, of_account, reachable

TELLING = tuple(rule for rule in SHIPPED if rule.name in ("run_failed", "run_blocked", "run_stuck"))


def tell_of_failures(judged: Iterable[tuple[RunFacts, Health]]) -> None:
    """Notify the channels of the runs that failed and whoever started them, in the caller's transaction.

    A channel that does not exist is left out: the run names it in its warnings.
    """
    for facts, health in judged:
        if facts.alert_on_failure is not True:
            continue
        issue = next((one for one in health.issues if any(tells(rule, one) for rule in TELLING)), None)
        if issue is not None:
            _tell(facts, issue)


def _tell(facts: RunFacts, issue: Issue) -> None:
    names = existing_channels(facts.channels)
    user = get_user_model().objects.filter(pk=facts.starter_id, is_active=True).first() if facts.starter_id else None
    people = reachable([of_account(user)]) if user else []
    if not names and not people:
        return
    text = verbatim(issue.sentence) + (f"\n\n{verbatim(issue.act.text)}" if issue.act and issue.act.text else "")
    url = run_page(facts.run_id)
    title = f"{facts.saga_id} {facts.workflow_id}: {issue.sentence}"[:300]
    notify(
        subject=f"run:{facts.run_id}:failed", kind="run.failed", message=Message(title=title, text=text, url=url),
        people=people, channels=names, dedupe=f"run:{facts.run_id}:failed", urgent=True, capped=False,
    )  # fmt: skip
