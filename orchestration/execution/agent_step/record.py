"""The row of an agent's attempt, and its events as lines of the attempt's log while they come."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Sum

from foundation.clock import database_now
from foundation.db.outages import AWAY, heal, outlast
from foundation.secrets.redaction import head, redact
from orchestration.actions.base import Call
from orchestration.agents.endpoints.lease import Attempt
from orchestration.agents.endpoints.session import cost_of
from orchestration.attempt_log import current
from orchestration.core.agent.events import Event, Message, SessionStarted, UsageReported, to_json
from orchestration.core.agent.session import Ended, EndReason, Question, Usage
from orchestration.core.agent.verdict import Verdict
from orchestration.execution.agent_step.in_words import lines_of
from orchestration.execution.claim_check import TakenOver
from orchestration.models import AgentAttempt, AgentEndpoint

LOGGER = "agent"
"""The logger's name of the lines in which an agent's session is told."""
MOST_EVENTS, MOST_CHARACTERS = 2000, 1_000_000
"""Of the transcript that is kept; the lines of the attempt's log have bounds of their own."""
WRITE_SECONDS = 5.0
LONGEST_ERROR = 4000
LOST = "its worker was lost"


def attempt_of(call: Call, run_id: int, claim: int) -> Attempt:
    """The attempt as leases know it."""
    return Attempt(
        run_id=run_id, step_id=call.step_id, purpose=call.purpose.value, iteration=call.iteration,
        attempt=call.attempt, claim=claim,
    )  # fmt: skip


def before(attempt: Attempt) -> list[AgentAttempt]:
    """The attempts of the step's iteration before this one, in order. One whose worker was lost is closed."""
    rows = AgentAttempt.objects.filter(
        run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose, iteration=attempt.iteration
    )
    open_ones = rows.filter(verdict="", ended="", claim__lte=attempt.claim)
    open_ones.update(verdict=Verdict.CRASHED, ended=EndReason.CRASHED, error=LOST, ended_at=database_now())
    return list(rows.order_by("id"))


def spent(attempt: Attempt) -> Decimal:
    """What all attempts of the step's iteration have cost so far, as far as it is known."""
    rows = AgentAttempt.objects.filter(
        run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose, iteration=attempt.iteration
    )
    return rows.aggregate(total=Sum("cost"))["total"] or Decimal(0)


class Record:
    """One session as it goes: kept on its row, told in the attempt's log."""

    def __init__(self, row: AgentAttempt, endpoint: AgentEndpoint) -> None:
        self.row, self._endpoint, self._log = row, endpoint, current.current()
        self._events: list[dict[str, object]] = []
        self._characters, self._left_out = 0, 0
        self._written = time.monotonic()

    @classmethod
    def begun(
        cls, attempt: Attempt, endpoint: AgentEndpoint, *, branch: str, base: str, reserved: Decimal | None = None
    ) -> Record:
        """A new row. `reserved`: what it holds of its project's budget."""
        row = AgentAttempt.objects.create(
            run_id=attempt.run_id, step_id=attempt.step_id, purpose=attempt.purpose, iteration=attempt.iteration,
            attempt=attempt.attempt, claim=attempt.claim, agent_type=endpoint.agent_type, endpoint=endpoint,
            endpoint_name=endpoint.name, branch=branch, base=base, reserved=reserved, started_at=database_now(),
        )  # fmt: skip
        return cls(row, endpoint)

    def tell(self, event: Event) -> None:
        """Keep an event and tell it; called in the thread of the session."""
        self._keep(event)
        for level, text in lines_of(event):
            self.say(text, level=level)
        if isinstance(event, SessionStarted):
            self.row.session_id = event.session_id[:200]
            self._save_if_it_can("session_id")
        if isinstance(event, UsageReported):
            self._used(event.usage, event.cost_usd)
            if time.monotonic() - self._written > WRITE_SECONDS:
                self._save_if_it_can("session_id", *USAGE)
                self._written = time.monotonic()

    def _save_if_it_can(self, *fields: str) -> None:
        """No session ends because the database is away: it is told again, at the latest at the session's end."""
        try:
            self.row.save(update_fields=fields)
        except AWAY:
            heal()

    def say(self, text: str, *, level: int = logging.INFO) -> None:
        """A line of the attempt's log."""
        if self._log is not None:
            for line in text.splitlines():
                if line.strip():
                    current.add(self._log, line, level=level, logger=LOGGER)

    def session_ended(self, ended: Ended) -> None:
        """Keep how the session ended, before anything else is done: it is paid for, and need not be held again.

        Raises:
            TakenOver: another worker has closed the row meanwhile. What the session has cost is kept all the same.
        """
        self._used(ended.usage, ended.cost_usd)
        row = self.row
        row.ended, row.error = ended.reason.value, head(ended.error, LONGEST_ERROR)
        row.text, row.turns = head(ended.text, LONGEST_ERROR * 4), max(0, ended.turns)
        row.session_id = (ended.session_id or row.session_id)[:200]
        row.denied = list(ended.denied)[:100]
        row.question = None if ended.question is None else redact(_as_json(ended.question))
        row.transcript, row.left_out = redact(self._events), self._left_out + ended.dropped
        cost = [*USAGE, "session_id", "text", "turns", "transcript", "left_out"]
        self._keep_once("ended", cost, ["ended", "error", "denied", "question", *cost])

    def judged(self, verdict: Verdict, facts: Sequence[str]) -> None:
        """Keep the verdict; the attempt is over. Raises TakenOver: another worker has judged it meanwhile."""
        self.row.verdict, self.row.ended_at = verdict.value, database_now()
        self.row.facts = redact([fact[:1000] for fact in facts][:100])
        self._keep_once("verdict", [], ["verdict", "ended_at", "facts", *JUDGED])
        self.say(f"verdict: {verdict}", level=logging.INFO if verdict is Verdict.DONE else logging.WARNING)
        for fact in facts[:20]:
            self.say(f"  {fact}", level=logging.WARNING)

    def _keep_once(self, mark: str, always: Sequence[str], fields: Sequence[str]) -> None:
        """Write these fields where `mark` is empty by now, else those of `always` alone. Waits for the database."""
        rows = AgentAttempt.objects.filter(pk=self.row.pk)
        values = {name: getattr(self.row, name) for name in fields}
        if outlast(lambda: rows.filter(**{mark: ""}).update(**values), what=self.row):
            return
        known = {name: values[name] for name in always}
        if known:
            outlast(lambda: rows.update(**known), what=self.row)
        raise TakenOver(f"{self.row} was closed meanwhile: another worker performs the attempt")

    def _used(self, usage: Usage, cost: Decimal | None) -> None:
        row = self.row
        row.input_tokens, row.output_tokens, row.cached_tokens = usage.input, usage.output, usage.cached
        row.cost = cost if cost is not None else cost_of(self._endpoint, usage)

    def _keep(self, event: Event) -> None:
        value = to_json(event)
        last = self._events[-1] if self._events else None
        if isinstance(event, Message) and event.message_id and last and last.get("message_id") == event.message_id:
            last["text"] = f"{last['text']}\n{event.text}"
            self._characters += len(event.text)
            return
        size = len(str(value))
        if len(self._events) >= MOST_EVENTS or self._characters + size > MOST_CHARACTERS:
            self._left_out += 1
            return
        self._events.append(value)
        self._characters += size


def ended_of(row: AgentAttempt) -> Ended:
    """How a session had ended, as its row has it."""
    return Ended(
        reason=EndReason(row.ended), text=row.text, session_id=row.session_id, denied=tuple(row.denied),
        usage=usage_of(row), cost_usd=row.cost,
        turns=row.turns, error=row.error,
    )  # fmt: skip


def usage_of(row: AgentAttempt) -> Usage:
    """The tokens of an attempt."""
    return Usage(input=row.input_tokens, output=row.output_tokens, cached=row.cached_tokens)


USAGE = ["input_tokens", "output_tokens", "cached_tokens", "cost"]
JUDGED = ["commit", "diff", "checks", "tampering", "evidence"]


def _as_json(asked: Question) -> dict[str, object]:
    options = [{"id": one.id, "label": one.label, "allows": one.allows} for one in asked.options[:20]]
    return {
        "kind": asked.kind, "text": head(asked.text, 4000), "tool": head(asked.tool, 200), "options": options,
        "digest": asked.digest,
    }  # fmt: skip
