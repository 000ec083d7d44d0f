"""`api_call`: a request, its body in each of its forms, and what its answers mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from orchestration.core.definition.actions.base import ActionModel, Inside

HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
Status = Annotated[int, Field(ge=100, le=599)]
Scalar = str | int | float | bool
Parameters = dict[Annotated[str, Field(min_length=1)], Scalar | list[Scalar]]
LONGEST_CONDITION = 2000
"""Characters. A longer one is told by its length and not read: CEL's parser would end the process with it."""
Condition = Annotated[str, Field(min_length=1, max_length=LONGEST_CONDITION)]
Answers = Status | Annotated[list[Status], Field(min_length=1)] | Condition
"""Which answers: a status, some statuses, or a condition."""


class Auth(Inside):
    """Credentials of a request, sent as its Authorization header. One of the two."""

    basic: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[user, password], the password as {secret:NAME}"
    )
    bearer: Annotated[str, Field(min_length=1)] | None = Field(None, description="the token, as {secret:NAME}")


class Content(Inside):
    """A body that is no JSON: `text`, or bytes as `base64`, with its media type."""

    text: str | None = Field(None, description="the body's text, sent as UTF-8")
    base64: str | None = Field(None, description="the body's bytes in base64, such as {report.body.base64}")
    type: str | None = Field(
        None, min_length=1, max_length=255,
        description="the Content-Type; left out, text/plain; charset=utf-8 or application/octet-stream",
    )  # fmt: skip


class Part(Inside):
    """One part of a multipart body: its `value`, or bytes as `base64`."""

    name: str = Field(min_length=1, max_length=255, description="the name of the form's field")
    value: JsonValue = Field(
        None, description="text or a number; a mapping or list goes as JSON, the binary body of an answer as its bytes"
    )
    base64: str | None = Field(None, description="the part's bytes in base64")
    filename: str | None = Field(None, min_length=1, max_length=255, description="makes the part a file of this name")
    content_type: str | None = Field(None, min_length=1, max_length=255, description="the media type of the part")


class ApiCall(ActionModel):
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
