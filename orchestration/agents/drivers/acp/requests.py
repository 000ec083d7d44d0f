"""What an agent asks of its client: a permission or an answer goes to a person; nothing is allowed by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acp import schema
from acp.meta import CLIENT_METHODS
from pydantic import BaseModel, ValidationError

from orchestration.agents.drivers.acp.updates import title_of, tool_name
from orchestration.agents.drivers.acp.wire import INVALID_PARAMS, METHOD_NOT_FOUND, Refused
from orchestration.agents.drivers.session import Session
from orchestration.core.agent.session import Answer, Option, Question

MOST_OPTIONS = 20


def capabilities() -> schema.ClientCapabilities:
    """What we serve: questions by form. No files and no terminals: the agent has those of its sandbox."""
    return schema.ClientCapabilities(
        fs=schema.FileSystemCapabilities(read_text_file=False, write_text_file=False),
        terminal=False,
        elicitation=schema.ElicitationCapabilities(form=schema.ElicitationFormCapabilities()),
    )


def answer_request(session: Session, method: str, params: Mapping[str, Any]) -> BaseModel | Refused:
    """The answer to send. Raises SessionOver when nobody can answer now."""
    try:
        if method == CLIENT_METHODS["session_request_permission"]:
            return _permission(session, schema.RequestPermissionRequest.model_validate(params))
        if method == CLIENT_METHODS["elicitation_create"]:
            return _elicitation(session, params)
    except ValidationError as error:
        return Refused(INVALID_PARAMS, f"the request is not as the protocol has it: {error.error_count()} errors")
    return Refused(METHOD_NOT_FOUND, f"{method[:80]} is not offered by this client")


def _permission(session: Session, request: schema.RequestPermissionRequest) -> BaseModel:
    call = request.tool_call
    question = Question(
        id=call.tool_call_id,
        kind="permission",
        text=title_of(call, most=None) or tool_name(call),
        tool=tool_name(call),
        options=tuple(
            Option(
                id=one.option_id,
                label=one.name,
                allows=one.kind.startswith("allow"),
                for_good=one.kind.endswith("always"),
            )
            for one in request.options[:MOST_OPTIONS]
        ),
    )
    chosen = session.put(question).option
    if not chosen:
        return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
    return schema.RequestPermissionResponse(outcome=schema.AllowedOutcome(outcome="selected", option_id=chosen))


def _elicitation(session: Session, params: Mapping[str, Any]) -> BaseModel | Refused:
    if params.get("mode") != "form":
        return Refused(INVALID_PARAMS, "only questions by form are answered here")
    request = schema.CreateFormSessionElicitationRequest.model_validate(params)
    fields = dict(request.requested_schema.properties or {})
    name, field = next(iter(fields.items()), ("answer", None))
    question = Question(
        id=request.tool_call_id or f"question-{len(params.get('message', ''))}",
        kind="question",
        text=_text(request.message, fields),
        options=_options(field),
    )
    answer = session.put(question)
    if not (answer.option or answer.text):
        return schema.DeclineElicitationResponse(action="decline")
    return schema.AcceptElicitationResponse(action="accept", content={name: _value(answer, field)})


def _text(message: str, fields: Mapping[str, Any]) -> str:
    """The message; a form of several fields is answered in its first one, so the others are told."""
    if len(fields) <= 1:
        return message
    return f"{message} (fields: {', '.join(fields)}; the answer goes into the first)"


def _options(field: object) -> tuple[Option, ...]:
    if isinstance(field, schema.ElicitationBooleanPropertySchema):
        return (Option(id="true", label="Yes"), Option(id="false", label="No"))
    if isinstance(field, schema.ElicitationStringPropertySchema):
        if field.one_of:
            return tuple(Option(id=one.const, label=one.title or one.const) for one in field.one_of[:MOST_OPTIONS])
        return tuple(Option(id=one, label=one) for one in (field.enum or ())[:MOST_OPTIONS])
    return ()


def _value(answer: Answer, field: object) -> str | int | float | bool:
    """As the form wants it; a text that is no number goes as it is, for the agent to refuse."""
    text = answer.option or answer.text
    if isinstance(field, schema.ElicitationBooleanPropertySchema):
        return text.strip().lower() in {"true", "yes", "y", "1"}
    try:
        if isinstance(field, schema.ElicitationIntegerPropertySchema):
            return int(text)
        if isinstance(field, schema.ElicitationNumberPropertySchema):
            return float(text)
    except ValueError:
        return text
    return text
