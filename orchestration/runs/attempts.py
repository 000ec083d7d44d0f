"""The attempts of a run as JSON: what each asked, what came back, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet

from foundation.clock import iso
from foundation.secrets.masking import excerpt, text_shown
from orchestration.core.enums import Outcome
from orchestration.ledger.loaded import loaded
from orchestration.ledger.outcome import action_rows
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import AgentAttempt, Command, Run
from orchestration.runs.archive.views import archive_of

MOST_OF_BODY = 2000
"""Characters of an answer's body that are shown."""
Name = tuple[str, str, int, int]
"""Of an attempt: step_id, purpose, iteration, attempt."""
OF_A_NAME = ("step_id", "purpose", "iteration", "attempt")
OF_SCRIPTS = ("exit_code", "stderr", "truncated")


def attempts(run: Run, *, step_id: str = "") -> QuerySet[Command]:
    """The rows of its attempts, the earlier ones first; `step_id`: only of this step."""
    rows = run.commands.filter(kind="run_action").order_by("id")
    return rows.filter(step_id=step_id) if step_id else rows


def attempt_views(run: Run, *, step_id: str = "", after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """Its attempts behind the number `after`, the earlier ones first; of a condensed run those that were kept."""
    archive = archive_of(run)
    if archive is not None:
        kept = [one for one in archive.view.get("attempts", ()) if one["number"] > after]
        return [one for one in kept if step_id in ("", one["step_id"])][:limit]
    if loaded(run, "commands") is not None:
        rows = [row for row in action_rows(run) if row.pk > after and step_id in ("", row.step_id)]
        return views_of(run, rows[:limit])
    return views_of(run, attempts(run, step_id=step_id).filter(pk__gt=after)[:limit])


def views_of(run: Run, rows: Iterable[Command]) -> list[dict[str, Any]]:
    """These attempts of a run as REST, the console and the page show them; `session`: of the agent that made one."""
    found = list(rows)
    sessions = sessions_of(run, [name_of(row) for row in found])
    return [attempt_view(row, sessions.get(name_of(row))) for row in found]


def name_of(row: Command) -> Name:
    """What tells an attempt from all others of its run."""
    return row.step_id, row.purpose, row.iteration, row.attempt


def sessions_of(run: Run, names: Iterable[Name]) -> dict[Name, int]:
    """The number of the agent's session in each of these attempts that had one. One query, none for no names.

    An attempt that found no endpoint free had none, so these numbers are those that people know.
    """
    steps = {name[0] for name in names}
    if not steps:
        return {}
    kept = loaded(run, "agent_attempts")
    asked = run.agent_attempts.filter(step_id__in=steps).order_by("id").only(*OF_A_NAME)
    rows: Iterable[AgentAttempt] = asked if kept is None else kept
    found: dict[Name, int] = {}
    so_far: Counter[tuple[str, str]] = Counter()
    for row in rows:
        of_step = (row.step_id, row.purpose)
        so_far[of_step] += 1
        found[(*of_step, row.iteration, row.attempt)] = so_far[of_step]
    return found


def agents_of(run: Run) -> frozenset[str]:
    """The steps of a run that are done by agents."""
    steps = definition_of(run).steps if run.kind in Run.SAGAS else ()
    return frozenset(step.step_id for step in steps if step.is_for_an_agent)


def attempt_view(row: Command, session: int | None = None) -> dict[str, Any]:
    """An attempt; `number` rises with each attempt."""
    return {
        "number": row.pk,
        "step_id": row.step_id,
        "purpose": row.purpose,
        "iteration": row.iteration,
        "attempt": row.attempt,
        "session": session,
        "outcome": row.outcome or None,
        "status": row.status,
        "worker": row.worker or None,
        "tries": row.tries,
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "error": row.error,
        "request": row.detail.get("request"),
        "answer": answer_of(row),
    }


def answer_of(row: Command) -> dict[str, Any] | None:
    """What came back: status and headers of an HTTP answer, exit code of a script, and the beginning of its body.

    The body of a success is its output; of a refusal it is in its error, unless that had no room for all of it.
    """
    detail: Mapping[str, Any] = row.detail
    if not row.outcome or row.outcome in (Outcome.PARKED, Outcome.SKIPPED):
        return None
    found = {name: detail[name] for name in ("status", "seconds", *OF_SCRIPTS) if name in detail}
    if "status" in detail:
        found["headers"] = {name: text_shown(str(one)) for name, one in (detail.get("headers") or {}).items()}
    if row.outcome == Outcome.SUCCEEDED:
        found["body"] = excerpt(row.output, MOST_OF_BODY)
    elif "status" in detail:
        found["body"] = str(detail.get("body") or _quoted(row.error, detail["status"]))
    elif "evidence" in detail:
        found["body"] = excerpt(detail["evidence"], MOST_OF_BODY)
    return found or None


def _quoted(error: str, status: int) -> str:
    """The body as the error repeats it, behind `… answered 503: `."""
    _, there, rest = error.partition(f" answered {status}")
    return rest.partition(": ")[2] if there else ""
