"""`approval simulate` and `approval replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import command

from approvals.console import replays, simulation
from approvals.console.inputs import day_or_moment, mapping, moment, read_file, somebody
from approvals.console.says import says_of
from approvals.core.policy import PolicyDefinition
from approvals.replaying import replayed
from approvals.services.policies import check_policy, policy_for
from approvals.simulator import Question, simulated
from orchestration.console.command import ConsoleCommand
from orchestration.console.doors import guarded, put_json
from orchestration.errors import BadInput

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
        """What would come of a request: who is asked when, which clocks run, whether it can pass. Stores nothing."""
        draft, start = _policy(policy), moment(at, "at")
        found = simulated(
            policy=draft,
            question=_question(request),
            at=start,
            away=[somebody(name, "away") for name in away or ()],
            gone=[somebody(name, "gone") for name in gone or ()],
            says=says_of(votes, start=start, hours=draft.hours.hours()),
        )
        view = simulation.view(found, start)
        put_json(view) if as_json else simulation.show(view)

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
        """What would have come of past requests under a draft. Stores nothing."""
        draft, first = _policy(policy), day_or_moment(since, "since") if since else None
        view = replays.view(draft, list(replayed(policy=draft, since=first, of=of, limit=limit)))
        put_json(view) if as_json else replays.show(view)


def _policy(name: str) -> PolicyDefinition:
    """A file where there is one, or where the name looks like one; else a published policy."""
    if Path(name).is_file() or name.lower().endswith((".yaml", ".yml", ".json")):
        return check_policy(read_file(name, "policy"))
    return policy_for(name, "")[1]


def _question(file: str) -> Question:
    given = mapping(read_file(file, "request"), file, "request")
    unknown = sorted(given.keys() - set(KEYS))
    if unknown or not isinstance(given.get("stage"), str):
        problem = f"{file} has an unknown key '{unknown[0]}'" if unknown else f"{file} has no stage"
        raise BadInput(problem, field="request", remedy=f"the keys are {', '.join(KEYS)}")
    words = {key: _text(given, key, file) for key in ("description", "requester", "about", "author", "agent_owner")}
    things = {key: _mapping(given, key, file) for key in ("context", "action", "facts")}
    return Question(
        stage=given["stage"],
        description=words["description"],
        requester=words["requester"],
        about=words["about"],
        barred=(words["author"], words["agent_owner"]),
        context=things["context"],
        action=things["action"],
        facts=things["facts"],
    )


def _text(given: dict[str, Any], key: str, file: str) -> str:
    value = given.get(key) or ""
    if not isinstance(value, str):
        raise BadInput(f"{file}: {key} is not a text", field=f"request.{key}", remedy="put it in quotes")
    return value


def _mapping(given: dict[str, Any], key: str, file: str) -> dict[str, Any]:
    return mapping(given.get(key) or {}, f"{file}: {key}", f"request.{key}")
