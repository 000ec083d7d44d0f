"""What a session tells while it runs, in one vocabulary for every driver.

Facts in the past tense, without a time: whoever stores an event takes the moment of the database. Texts are redacted
and bounded by the driver before anybody sees them. `to_json` and `from_json` are the stored and streamed form; `kind`
says which it is, and these words stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from orchestration.core.agent.session import EndReason, Question, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """`agent`, `version` and `model` as the agent names itself. `resumed`: an earlier session goes on."""

    session_id: str
    agent: str = ""
    version: str = ""
    model: str = ""
    resumed: bool = False
    kind: Literal["session_started"] = "session_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A piece of what the agent says. Pieces with one `message_id` belong together, in order; '' stands alone."""

    text: str
    message_id: str = ""
    kind: Literal["message"] = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """A piece of what the model thinks, where it is shown."""

    text: str
    kind: Literal["thought"] = "thought"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """`name`: the tool. `title`: what it is about to do (a command, a file). `paths`: files that it names."""

    tool_id: str
    name: str
    title: str = ""
    paths: tuple[str, ...] = ()
    kind: Literal["tool_started"] = "tool_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDone:
    """`succeeded`: as the agent reports it; an exit code inside of `output` may say something else."""

    tool_id: str
    name: str
    succeeded: bool
    output: str = ""
    paths: tuple[str, ...] = ()
    kind: Literal["tool_done"] = "tool_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionNeeded:
    """The agent waits until somebody allows or denies. `question.kind` is `permission`."""

    question: Question
    kind: Literal["permission_needed"] = "permission_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    """The agent waits for an answer. `question.kind` is `question`."""

    question: Question
    kind: Literal["question"] = "question"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One line of the agent's own plan. `status`: pending, in_progress or completed."""

    text: str
    status: str = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """The agent's own plan of its work, whole; the newest one holds."""

    entries: tuple[PlanEntry, ...]
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """The agent tries its model again. This is no progress: it does not put off the end of a stalled session."""

    error: str
    attempt: int = 0
    wait_seconds: float | None = None
    kind: Literal["retrying"] = "retrying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What its sandbox says of the agent, such as a host that it asked for and may not reach. No act of the agent."""

    text: str
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported:
    """What the session has used so far, as totals. `cost_usd`: as the agent says it; None when it says none."""

    usage: Usage
    cost_usd: Decimal | None = None
    kind: Literal["usage"] = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The last event of a session, whatever ended it."""

    reason: EndReason
    error: str = ""
    kind: Literal["turn_ended"] = "turn_ended"


Event = Annotated[
    SessionStarted
    | Message
    | Thought
    | ToolStarted
    | ToolDone
    | PermissionNeeded
    | QuestionAsked
    | PlanShown
    | Retrying
    | Notice
    | UsageReported
    | TurnEnded,
    Field(discriminator="kind"),
]
"""Every event has a `kind`: session_started, message, thought, tool_started, tool_done, permission_needed, question,
plan, retrying, notice, usage or turn_ended."""

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def to_json(event: Event) -> dict[str, Any]:
    """The event as values of JSON; a cost is a text, so that no cent is lost."""
    value: dict[str, Any] = _EVENT.dump_python(event, mode="json")
    return value


def from_json(value: object) -> Event:
    """The event that `to_json` wrote. Raises ValueError (pydantic's) for anything else."""
    return _EVENT.validate_python(value)
