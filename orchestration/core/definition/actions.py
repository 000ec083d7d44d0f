"""The models of actions. Keys that the model of a task does not know are passed to its handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

LONGEST_SECONDS = 366 * 86400
SAGA_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
CHILD = r"^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,99}|\{[^{}]{1,200}\})$"
"""The saga_id of a published saga, or one placeholder."""
POLICY = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
MONEY = r"^(?:\d{1,9}(?:\.\d{1,6})?|\{[^{}]+\})$"

Duration = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
Length = Duration | Annotated[str, Field(pattern=r"^\{[^{}]+\}$")]
Status = Annotated[int, Field(ge=100, le=599)]
Path = Annotated[str, Field(min_length=1, max_length=1000)]
Scalar = str | int | float | bool
Parameters = dict[Annotated[str, Field(min_length=1)], Scalar | list[Scalar]]
LONGEST_CONDITION = 2000
"""Characters. A longer one is told by its length and not read: CEL's parser would end the process with it."""
Condition = Annotated[str, Field(min_length=1, max_length=LONGEST_CONDITION)]
Answers = Status | Annotated[list[Status], Field(min_length=1)] | Condition
"""Which answers: a status, some statuses, or a condition."""


class _Action(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    def plain(self) -> dict[str, JsonValue]:
        """The action as JSON, defaults filled in; a null that the author wrote stays, others are left out."""
        dumped: dict[str, JsonValue] = self.model_dump(mode="json")
        return {key: value for key, value in dumped.items() if value is not None or key in self.model_fields_set}


class _Inner(BaseModel):
    """A mapping inside an action: it has these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """Without the keys that were left out."""
        dumped: dict[str, JsonValue] = handler(self)
        return {key: value for key, value in dumped.items() if value is not None or key in self.model_fields_set}


class Auth(_Inner):
    """Credentials of a request, sent as its Authorization header. One of the two."""

    basic: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[user, password], the password as {secret:NAME}"
    )
    bearer: Annotated[str, Field(min_length=1)] | None = Field(None, description="the token, as {secret:NAME}")


class Content(_Inner):
    """A body that is no JSON: `text`, or bytes as `base64`, with its media type."""

    text: str | None = Field(None, description="the body's text, sent as UTF-8")
    base64: str | None = Field(None, description="the body's bytes in base64, such as {report.body.base64}")
    type: str | None = Field(
        None, min_length=1, max_length=255,
        description="the Content-Type; left out, text/plain; charset=utf-8 or application/octet-stream",
    )  # fmt: skip


class Part(_Inner):
    """One part of a multipart body: its `value`, or bytes as `base64`."""

    name: str = Field(min_length=1, max_length=255, description="the name of the form's field")
    value: JsonValue = Field(
        None, description="text or a number; a mapping or list goes as JSON, the binary body of an answer as its bytes"
    )
    base64: str | None = Field(None, description="the part's bytes in base64")
    filename: str | None = Field(None, min_length=1, max_length=255, description="makes the part a file of this name")
    content_type: str | None = Field(None, min_length=1, max_length=255, description="the media type of the part")


class ApiCall(_Action):
    """An HTTP request. Its output is the JSON object that comes back (any other body is {"body": …})."""

    # Definitions that were stored before may hold other keys and still run; calls.py refuses them in a new one.
    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    type: Literal["api_call"]
    url: str = Field(min_length=1, description="http:// or https:// with a host; {placeholders} are encoded")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = Field(
        "GET", description="the HTTP method in capitals; GET when left out"
    )
    headers: dict[Annotated[str, Field(pattern=HEADER_NAME)], Scalar] = Field(
        default={}, description="header names and values, sent as UTF-8; secrets belong here, as {secret:NAME}"
    )
    query: Parameters | None = Field(
        None, description="parameters added to the URL, a mapping; a list repeats its name, values are encoded"
    )
    auth: Auth | None = Field(None, description="{basic: [user, password]} or {bearer: token}, with {secret:NAME}")
    payload: JsonValue = Field(
        None,
        description="sent as the JSON body, a text as it is; left out, no body is sent. At most one of payload, form, "
        "multipart and body",
    )
    form: Parameters | None = Field(
        None, description="sent as application/x-www-form-urlencoded, a mapping; a list repeats its name"
    )
    multipart: Annotated[list[Part], Field(min_length=1, max_length=100)] | None = Field(
        None, description="sent as multipart/form-data, a list of parts with name and value or base64"
    )
    body: str | Content | None = Field(
        None, description="sent as it is: a text, {text: …, type: …} or {base64: …, type: …}; JSON goes in payload"
    )
    follow_redirects: bool = Field(
        False,
        description="follow up to 5 redirects, each through the outgoing guard; headers that may be credentials stay "
        "within their origin, and only 307 and 308 repeat anything but a GET, HEAD or OPTIONS",
    )
    expected_status: Status | Annotated[list[Status], Field(min_length=1)] | None = Field(
        None, description="the status, or a list of them, that counts as success; any 2xx when left out"
    )
    retry_on: Answers | None = Field(
        None,
        description="answers to try again after, within retry_count: a status, a list of them, or a CEL condition over "
        "status, headers and body",
    )
    fail_on: Answers | None = Field(
        None, description="answers that fail the step at once: a status, a list of them, or a CEL condition"
    )
    until: Condition | None = Field(
        None,
        description="a CEL condition over status, headers and body: the call is repeated until it holds, within the "
        "step's timeout",
    )
    every_seconds: Annotated[float, Field(ge=0.1, le=3600)] | None = Field(
        None, description="seconds between the calls of until, 0.1 to 3600; 5 when left out"
    )
    expect: JsonValue = Field(
        None, description="in a probe_action: dotted names of its output and the values that say it was done"
    )


class Script(_Action):
    """A script run in its own process group. Its text is not a template: values reach it through `env`."""

    type: Literal["script"]
    script: str = Field(min_length=1, description="the script's text, with a #! line if it is not for sh")
    env: dict[Annotated[str, Field(pattern=VARIABLE_NAME)], JsonValue] = Field(
        default={}, description="environment variables of the script; values may hold {placeholders}"
    )


class Task(_Action):
    """A registered handler, or the agent that the step's `agent_type` names."""

    type: Literal["task"]
    handler: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,199}$", description="the name of a registered handler"
    )


class Wait(_Action):
    """A durable timer: until a time, or for as long as the units that are given add up to."""

    type: Literal["wait"]
    seconds: Length | None = Field(None, description="seconds to wait, a number from 0 or a {placeholder} for one")
    minutes: Length | None = Field(None, description="minutes to wait, a number from 0 or a {placeholder} for one")
    hours: Length | None = Field(None, description="hours to wait, a number from 0 or a {placeholder} for one")
    days: Length | None = Field(None, description="days to wait, a number from 0 or a {placeholder} for one")
    until: str | None = Field(
        None,
        min_length=1,
        description="a time with its offset, such as 2026-07-01T08:00:00+02:00, or a {placeholder} for one",
    )

    @property
    def total_seconds(self) -> float | None:
        """None when it is known only during the run."""
        given = self.model_dump(exclude_none=True, include=set(UNITS))
        is_known = self.until is None and not any(isinstance(length, str) for length in given.values())
        return wait_seconds(given) if is_known else None


class ChildSaga(_Action):
    """A saga of its own, undone as one with its parent."""

    type: Literal["saga"]
    definition: Annotated[str, Field(pattern=CHILD)] | dict[str, JsonValue] = Field(
        description="the saga_id of a published saga, a whole definition, or a {placeholder} for one"
    )
    context: dict[str, JsonValue] = Field(default={}, description="laid over the child's context; may hold templates")

    @property
    def is_found_out(self) -> bool:
        """Whether its definition is known only during the run."""
        return is_placeholder(self.definition)


MOST_FIELDS = 150
"""Fields of a gate's own form."""


class Ask(_Action):
    """What people are asked, and which. The people are those of a policy, or the ones that are named here."""

    model_config = ConfigDict(extra="forbid")

    policy: str | None = Field(
        None, pattern=POLICY, description="the name of a published policy; left out, the one called as the stage is"
    )
    stage: str | None = Field(None, min_length=1, max_length=100, description="what kind of decision it is, in a word")
    description: str = Field("", max_length=20_000, description="what is asked and why, as Markdown; {placeholders}")
    context: dict[str, JsonValue] = Field(default={}, description="what those who decide have to see; {placeholders}")
    approvers: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=100, strict=False,
        description="user names, e-mail addresses or group:NAME, where no policy says who",
    )  # fmt: skip
    how_many: Literal["any", "all"] | int | str | None = Field(
        None, description="any, all, a number or a share such as 60%, of the approvers named here"
    )
    timeout_seconds: Annotated[float, Field(gt=0, le=LONGEST_SECONDS)] | None = Field(
        None, description="seconds until it expires; it can only shorten what a policy allows"
    )
    editable: tuple[str, ...] = Field(
        (), max_length=50, strict=False, description="what may be changed with a yes, such as context.replicas"
    )
    callback_url: str | None = Field(None, description="gets a signed request when it is decided")
    form: tuple[dict[str, JsonValue], ...] = Field(
        (), max_length=MOST_FIELDS, strict=False,
        description="a list of fields that are answered with a yes, as a policy's form has them",
    )  # fmt: skip
    rework: str | None = Field(
        None, min_length=1, max_length=100,
        description="the id of a step before it, which is done again with all after it when changes are requested",
    )  # fmt: skip


class Approval(Ask):
    """A gate of its own: the run goes on when people have said yes. Its output holds who decided, and the context."""

    type: Literal["approval"]


class Agent(_Action):
    """A coding agent's attempt at a task in a repository. What it did is a commit of ours on a branch of its own."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["agent"]
    agent: str = Field(min_length=1, max_length=100, description="the type of the agent, in any case: CLAUDE, CODEX, …")
    prompt: str = Field(min_length=1, max_length=200_000, description="what it is told; {placeholders}")
    context_files: tuple[Path, ...] = Field(
        (), max_length=200, strict=False, description="files of the repository that it is told to read first"
    )
    checks: tuple[Annotated[str, Field(min_length=1, max_length=4000)], ...] = Field(
        (), max_length=50, strict=False,
        description="shell commands that judge its work, run by Zen in a clean checkout; no templates",
    )  # fmt: skip
    files: tuple[Path, ...] = Field(
        (), max_length=500, strict=False, description="what it is told to change, and nothing else"
    )
    max_turns: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="rounds with the model, a whole number from 1"
    )
    budget: Annotated[float, Field(ge=0, le=1_000_000)] | Annotated[str, Field(pattern=MONEY)] | None = Field(
        None, description="what all attempts of the step may cost together, a number or a {placeholder} for one"
    )
    repository: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        None, description="the git repository to work in, a path or an address; left out, the run's own"
    )
    branch: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="the branch that gets its commit; left out, zen/<workflow_id>/<step_id>"
    )
    requirements: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (), max_length=200, strict=False, description="ids of the requirements that it serves, for the commit"
    )
    stall_seconds: Annotated[float, Field(ge=1, le=86_400)] | None = Field(
        None, description="seconds without a sign of life after which it is stopped, 1 to 86400"
    )
    merges: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="a commit that could not be merged: it begins with both sides in its files, and is to make one",
    )
    changes: bool = Field(True, description="false: only its answer is wanted, so that it may change nothing")


Action = Annotated[ApiCall | Script | Task | Wait | ChildSaga | Approval | Agent, Field(discriminator="type")]
UndoAction = Annotated[ApiCall | Script | Task, Field(discriminator="type")]

MODELS: Mapping[str, type[_Action]] = {
    "api_call": ApiCall,
    "script": Script,
    "task": Task,
    "wait": Wait,
    "saga": ChildSaga,
    "approval": Approval,
    "agent": Agent,
}
INNER: Mapping[str, type[BaseModel]] = {"auth": Auth, "body": Content, "multipart": Part}
"""Key of an api_call → the model of the mapping, or of the mappings in the list, that may stand there."""
UNDO_TYPES = ("api_call", "script", "task")
LATER_TYPES = ("event",)
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


def is_placeholder(definition: object) -> bool:
    """Whether the definition of a child is one that a step before it gives."""
    return isinstance(definition, str) and definition.startswith("{")


def wait_seconds(action: Mapping[str, Any]) -> float:
    """The length of a wait action given as a mapping."""
    given = {unit: action.get(unit) for unit in UNITS}
    return sum((n * UNITS[unit] for unit, n in given.items() if isinstance(n, int | float)), start=0.0)
