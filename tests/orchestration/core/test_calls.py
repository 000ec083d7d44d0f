"""What an api_call may say, and how well the refusal of the rest helps."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from foundation.errors import BadInput
from orchestration.actions.conditions import condition_problems, holds
from orchestration.core.definition import (
    DefinitionErrors,
    Problem,
    SagaDefinition,
    json_schema,
    validate_action,
    validate_definition,
    warnings_of,
)
from orchestration.runs import check_definition

SCHEMA = jsonschema_rs.validator_for(json_schema())
FORM = "application/x-www-form-urlencoded"
UNDO = {"type": "api_call", "method": "DELETE", "url": "https://x.example/a"}
WITH_NAMES: dict[str, Any] = {"id": 1, "name": "n", "pdf": {}}


def saga(action: dict[str, Any], field: str = "forward_action", **more: Any) -> dict[str, Any]:
    call = {"type": "api_call", "method": "POST", "url": "https://x.example/a", **action}
    step = {"step_id": "a", "forward_action": {**UNDO, "method": "POST"}, "compensation_action": UNDO, **more}
    return {"saga_id": "s", "steps": [{**step, field: call}], "context": WITH_NAMES}


def problems(data: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        validate_definition(data)
    except DefinitionErrors as errors:
        return errors.problems
    return tuple(condition_problems(data))


@pytest.mark.parametrize(
    "action",
    [
        {"query": {"id": 7, "tag": ["a", "{name}"], "on": True, "empty": ""}},
        {"form": {"grant_type": "client_credentials", "scope": ["a", "b"]}},
        {"form": {"a": 1}, "headers": {"content-type": f"{FORM}; charset=utf-8"}},
        {"payload": {"a": "{name}"}, "headers": {"Content-Type": FORM}},
        {"payload": {"a": 1}, "headers": {"Content-Type": "application/problem+json"}},
        {"multipart": [{"name": "a", "value": 1}, {"name": "f", "filename": "f.pdf", "base64": "{pdf.base64}"}]},
        {"body": "a text with {name}"},
        {"body": {"base64": "AAEC", "type": "application/pdf"}},
        {"body": {"text": "<a/>", "type": "application/xml"}},
        {"auth": {"basic": ["{name}", "{secret:KEY}"]}},
        {"auth": {"bearer": "{secret:KEY}"}},
        {"headers": {"X-Name": "Zoë"}},
        {"retry_on": [409, 423], "fail_on": 422},
        {"retry_on": "status == 409 && body.code != 'GONE'", "fail_on": "body.errors.exists(e, e.level == 'fatal')"},
        {"until": "body.state == 'DONE'", "every_seconds": 2},
    ],
)
def test_what_an_api_call_may_say(action: dict[str, Any]) -> None:
    for field in ("forward_action", "compensation_action"):
        assert problems(saga(action, field)) == ()
        assert SCHEMA.is_valid(saga(action, field))
    made = validate_definition(saga(action))
    assert SagaDefinition.model_validate(made.model_dump(mode="json", exclude_unset=True)) == made
    assert all(made.steps[0].forward_action.plain()[key] == value for key, value in action.items())


@pytest.mark.parametrize("field", ["forward_action", "compensation_action", "probe_action"])
@pytest.mark.parametrize(
    ("key", "remedy"),
    [("json", "payload"), ("data", "form"), ("params", "query"), ("timeout", "timeout_seconds"), ("verify", "checked"),
     ("payloads", "did you mean 'payload'?"), ("bdy", "did you mean 'body'?"), ("retries", "retry_count"),
     ("Url", "did you mean 'url'?"), ("zzz", "the keys here are: type, url")],
)  # fmt: skip
def test_a_key_that_nothing_reads_is_refused_wherever_a_call_stands(field: str, key: str, remedy: str) -> None:
    (problem,) = problems(saga({key: {"id": 7}}, field))
    assert (problem.step, problem.field, problem.message) == ("a", f"{field}.{key}", "is not a known key")
    assert remedy in problem.remedy
    assert not SCHEMA.is_valid(saga({key: 1}, field))


def test_an_unknown_key_of_an_alternative_and_of_a_child_in_place() -> None:
    with pytest.raises(DefinitionErrors, match=r"action\.json: is not a known key.*use payload"):
        validate_action({**UNDO, "json": {}}, undo=True)
    child = saga({"json": {}})
    outer = {"saga_id": "p", "steps": [{"step_id": "c", "forward_action": {"type": "saga", "definition": child}}]}
    assert [(found.step, found.field) for found in problems(outer)] == [("c/a", "forward_action.json")]


def test_a_stored_definition_with_such_a_key_can_still_be_read() -> None:
    assert SagaDefinition.model_validate(saga({"timeout": 1})).steps[0].forward_action.model_extra == {"timeout": 1}


@pytest.mark.parametrize(
    ("action", "field", "said"),
    [
        ({"body": {"amount": 5}}, "body.amount", "not a known key"),
        ({"auth": {"basi": ["u", "p"]}}, "auth.basi", "did you mean 'basic'?"),
        ({"auth": {}}, "auth", "either basic or bearer"),
        ({"auth": {"basic": ["u", "p"], "bearer": "t"}}, "auth", "either basic or bearer"),
        ({"auth": {"basic": ["u:v", "p"]}}, "auth.basic[0]", "colon"),
        ({"auth": {"basic": []}}, "auth.basic", "at least 2 items"),
        ({"auth": {"basic": ["u"]}}, "auth.basic", "at least 2 items"),
        ({"auth": {"basic": ["u", "p", "x"]}}, "auth.basic", "at most 2 items"),
        ({"auth": {"basic": ["u", 7]}}, "auth.basic[1]", "valid string"),
        ({"retry_on": []}, "retry_on", ""),
        ({"expected_status": []}, "expected_status", ""),
        ({"multipart": []}, "multipart", "at least 1 item"),
        ({"auth": {"bearer": "t"}, "headers": {"authorization": "x"}}, "headers.Authorization", "beside auth"),
        ({"payload": {}, "form": {"a": 1}}, "form", "beside payload"),
        ({"form": {"a": 1}, "body": "x"}, "body", "beside form"),
        ({"form": {"a": {"b": 1}}}, "form.a", "should be"),
        ({"query": {"a": None}}, "query.a", ""),
        ({"form": {"a": 1}, "headers": {"Content-Type": "application/json"}}, "headers.Content-Type", "contradicts"),
        ({"payload": {"a": {"b": 1}}, "headers": {"Content-Type": FORM}}, "payload.a", "form"),
        ({"payload": [1], "headers": {"Content-Type": FORM}}, "headers.Content-Type", "a list"),
        ({"payload": {}, "headers": {"content-type": "text/xml"}}, "headers.Content-Type", "as JSON"),
        ({"payload": {}, "headers": {"Content-Type": "multipart/form-data"}}, "headers.Content-Type", "use multipart"),
        ({"multipart": [{"name": "a", "value": 1}], "headers": {"Content-Type": "multipart/form-data"}},
         "headers.Content-Type", "boundary"),
        ({"multipart": [{"name": "a"}]}, "multipart[0]", "value or base64"),
        ({"multipart": [{"name": "a", "value": 1, "file": 2}]}, "multipart[0].file", "not a known key"),
        ({"body": {"base64": "%%"}}, "body.base64", "not base64"),
        ({"body": {"base64": "AAEC", "type": "pdf"}}, "body.type", "not a media type"),
        ({"body": {"type": "text/plain"}}, "body", "text or base64"),
        ({"headers": {"Content-Length": "3"}}, "headers.Content-Length", "cannot set"),
        ({"headers": {"host": "x"}}, "headers.host", "the host of the url"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "headers.Transfer-Encoding", "remove it"),
        ({"headers": {"Connection": "close"}}, "headers.Connection", "remove it"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers.x-a", "twice"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "headers.X-A", "line break"),
        ({"every_seconds": 3}, "every_seconds", "without until"),
        ({"until": "status == 200", "every_seconds": 0.01}, "every_seconds", "greater than or equal to 0.1"),
        ({"expect": {"a": 1}}, "expect", "key of a probe_action"),
        ({"until": "stats == 200"}, "until", "did you mean 'status'?"),
        ({"until": "status =="}, "until", "not a CEL expression"),
        ({"retry_on": "body.a.filter(x, true).size() > 0"}, "retry_on", "filter is not available"),
        ({"fail_on": "body.a.exists(x, body.a.exists(y, x == y))"}, "fail_on", "looks at 'body' again"),
        ({"fail_on": "body.a.exists(x, x.exists(y, x.exists(z, z == y)))"}, "fail_on", "looks at 'x' again"),
        ({"retry_on": []}, "retry_on", "a list of them"),
        ({"retry_on": [99]}, "retry_on[0]", "100"),
    ],
)  # fmt: skip
def test_what_contradicts_is_refused_by_name(action: dict[str, Any], field: str, said: str) -> None:
    found = problems(saga(action))
    assert [problem.field for problem in found] == [f"forward_action.{field}"], [str(problem) for problem in found]
    assert said in f"{found[0].message}; {found[0].remedy}"


def test_a_probe_asks_once() -> None:
    (found,) = problems(saga({"method": "GET", "until": "status == 200"}, "probe_action"))
    assert found.field == "probe_action.until" and "asks once" in found.message
    assert problems(saga({"method": "GET", "expect": {"state": "DONE"}}, "probe_action")) == ()


def test_the_calls_of_an_until_are_bounded() -> None:
    (found,) = problems(saga({"until": "status == 200", "every_seconds": 0.1}, timeout_minutes=60))
    assert found.field == "forward_action.every_seconds" and "10000 calls" in found.message
    assert problems(saga({"until": "status == 200", "every_seconds": 1}, timeout_minutes=60)) == ()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"payload": "name={name}&amount=1", "headers": {"Content-Type": FORM}}, "use form"),
        ({"body": "name={name}", "headers": {"Content-Type": FORM}}, "use form"),
        ({"payload": {"a": 1}, "headers": {"Content-Type": "application/x-odd"}}, "is sent as JSON"),
        ({"auth": {"bearer": "abcdefgh"}}, "{secret:NAME}"),
        ({"auth": {"basic": ["me", "abcdefgh"]}}, "{secret:NAME}"),
    ],
)
def test_what_is_doubtful_is_warned_of(action: dict[str, Any], said: str) -> None:
    assert any(said in warning for warning in warnings_of(validate_definition(saga(action))))


@pytest.mark.parametrize(
    "action",
    [
        {"payload": "{name}", "headers": {"Content-Type": FORM}},
        {"payload": "a=1&b=2", "headers": {"Content-Type": FORM}},
        {"payload": {"a": 1}, "headers": {"Content-Type": "application/x-amz-json-1.1"}},
        {"auth": {"bearer": "{secret:KEY}"}},
    ],
)
def test_what_is_plain_is_not_warned_of(action: dict[str, Any]) -> None:
    assert warnings_of(validate_definition(saga(action))) == []


@pytest.mark.parametrize("field", ["forward_action", "compensation_action", "probe_action"])
def test_a_key_written_as_a_header_is_warned_of_wherever_a_call_stands(field: str) -> None:
    """It is sent instead of the key that Zen makes, which holds the step and the run."""
    said = warnings_of(validate_definition(saga({"headers": {"idempotency-key": "{id}"}}, field)))
    (warning,) = [one for one in said if "Idempotency-Key" in one]
    assert f"'a': {field}.headers" in warning and "write idempotency_key on the step" in warning


def test_keys_of_other_actions_that_nothing_reads_are_refused_or_warned_of() -> None:
    script = {"type": "script", "script": "true", "timeout": 3}
    wait = {"type": "wait", "seconds": 0, "jitter": 3}
    with pytest.raises(DefinitionErrors, match=r"compensation_action.timeout: is not a known key of a script"):
        validate_definition(saga({}, compensation_action=script))
    waits = {"saga_id": "s", "steps": [{"step_id": "w", "forward_action": wait}]}
    assert any("forward_action.jitter" in warning for warning in warnings_of(validate_definition(waits)))


def test_a_condition_that_cannot_be_answered_does_not_hold() -> None:
    answer: dict[str, Any] = {"status": 200, "headers": {"x-a": "1"}, "body": {"n": 0}}
    assert holds("headers['x-a'] == '1' && body.n == 0 && status in [200]", **answer)
    for expression in ("body.state == 'DONE'", "1 / body.n == 1", "headers['x-b'] == '1'", "body.n.m", "body.n"):
        assert not holds(expression, **answer)


@pytest.mark.parametrize("key", ["until", "retry_on", "fail_on"])
def test_a_long_condition_is_refused_unread(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CEL's parser ends the process when a chain of thousands of links comes to it."""
    read: list[str] = []
    monkeypatch.setattr("orchestration.actions.conditions.cel.compile", read.append)
    with pytest.raises(BadInput, match=rf"forward_action.{key}: is a condition of 40006 characters"):
        check_definition(saga({key: "status" + ".a" * 20_000}))
    assert read == []
