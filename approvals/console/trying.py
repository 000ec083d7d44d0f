"""`approval simulate` and `approval replay`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import command

from approvals.console.inputs import day_or_moment, mapping, moment, read_file, somebody
from approvals.core.content import Ask
from approvals.core.enums import Choice
from approvals.core.policy.definition import PolicyDefinition
from approvals.core.policy.hours import Hours, due, span_of
from approvals.policies.publish import check_policy, policy_for
from approvals.simulation import replay_report, report
from approvals.simulation.replay import replayed
from approvals.simulation.simulate import Say, simulated
from foundation.console.command import ConsoleCommand
from foundation.console.exit_codes import guarded, put_json
from foundation.errors import BadInput

PolicyOrFile = Annotated[str, typer.Argument(help="the name of a published policy, or a file with a draft")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]
KEYS = ("stage", "description", "context", "requester", "action", "facts", "about", "author", "agent_owner")


class Trying(ConsoleCommand):
    @command()
    @guarded
    def simulate(
        self,
        policy: PolicyOrFile,
        request: Annotated[str, typer.Option(help="a YAML or JSON file: stage, description, context, requester")],
        at: Annotated[str, typer.Option(help="when it is asked for, such as 2026-11-25T09:30:00+01:00")],
        away: Annotated[list[str] | None, typer.Option(help="is asked, and does not answer")] = None,
        gone: Annotated[list[str] | None, typer.Option(help="has a closed account, and is not asked")] = None,
        votes: Annotated[list[str] | None, typer.Option(help="WHO=CHOICE@WHEN, such as bob=approve@2h")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Preview a request: who is asked when, which clocks run, whether it can pass. Stores nothing."""
        draft, start = _policy(policy), moment(at, "at")
        given, requester = _asked(request)
        found = simulated(
            policy=draft,
            given=given,
            requester=requester,
            at=start,
            away=[somebody(name, "away") for name in away or ()],
            gone=[somebody(name, "gone") for name in gone or ()],
            says=says_of(votes, start=start, hours=draft.hours.hours()),
        )
        view = report.view(found, start)
        put_json(view) if as_json else report.show(view)

    @command()
    @guarded
    def replay(
        self,
        policy: PolicyOrFile,
        since: Annotated[str, typer.Option(help="only requests asked for since this date or time")] = "",
        of: Annotated[str, typer.Option(help="only requests of this policy")] = "",
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
        as_json: AsJson = False,
    ) -> None:
        """Preview how past requests would have ended under a draft. Stores nothing."""
        draft, first = _policy(policy), day_or_moment(since, "since") if since else None
        view = replay_report.view(draft, list(replayed(policy=draft, since=first, of=of, limit=limit)))
        put_json(view) if as_json else replay_report.show(view)


def _policy(name: str) -> PolicyDefinition:
    """A file where there is one, or where the name looks like one; else a published policy."""
    if Path(name).is_file() or name.lower().endswith((".yaml", ".yml", ".json")):
        return check_policy(read_file(name, "policy"))
    return policy_for(name, "")[1]


def _asked(file: str) -> tuple[Ask, str]:
    """What is asked, and by whom."""
    given = mapping(read_file(file, "request"), file, "request")
    unknown = sorted(given.keys() - set(KEYS))
    if unknown or not isinstance(given.get("stage"), str):
        problem = f"{file} has an unknown key '{unknown[0]}'" if unknown else f"{file} has no stage"
        raise BadInput(problem, field="request", remedy=f"the keys are {', '.join(KEYS)}")
    words = {key: _text(given, key, file) for key in ("description", "requester", "about", "author", "agent_owner")}
    things = {key: _mapping(given, key, file) for key in ("context", "action", "facts")}
    asked = Ask(
        stage=given["stage"],
        description=words["description"],
        about=words["about"],
        author=words["author"],
        agent_owner=words["agent_owner"],
        context=things["context"],
        action=things["action"] or None,
        facts=things["facts"],
    )
    return asked, words["requester"]


def _text(given: dict[str, Any], key: str, file: str) -> str:
    value = given.get(key) or ""
    if not isinstance(value, str):
        raise BadInput(f"{file}: {key} is not a text", field=f"request.{key}", remedy="put it in quotes")
    return value


def _mapping(given: dict[str, Any], key: str, file: str) -> dict[str, Any]:
    return mapping(given.get(key) or {}, f"{file}: {key}", f"request.{key}")


EXAMPLE = "such as bob=approve, bob=approve@2h or bob=reject@2026-11-25T09:30:00Z"


def says_of(given: Iterable[str] | None, *, start: datetime, hours: Hours) -> list[Say]:
    """Each option may hold several, with commas between. WHEN is a length of time after the start, or a time."""
    return [_say(part.strip(), start, hours) for option in given or () for part in option.split(",") if part.strip()]


def _say(part: str, start: datetime, hours: Hours) -> Say:
    who, equals, rest = part.partition("=")
    word, _, when = rest.partition("@")
    if not equals or word not in tuple(Choice):
        remedy = f"{EXAMPLE}; a decision is one of {', '.join(Choice)}"
        raise BadInput(f"--votes {part!r} is not WHO=CHOICE@WHEN", field="votes", remedy=remedy)
    at = _when(when, start, hours) if when else start
    if at < start:
        raise BadInput(
            f"--votes {part!r} is before the request is asked for", field="votes", remedy="give a later time"
        )
    return Say(person=somebody(who, "votes"), choice=Choice(word), at=at)


def _when(text: str, start: datetime, hours: Hours) -> datetime:
    try:
        return due(start, span_of(text, hours), hours).astimezone(UTC)
    except ValueError:
        return moment(text, "votes")
