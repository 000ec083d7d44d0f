"""What the OpenAPI document holds besides what the views say: the saga's own schema and the stream of events."""

from __future__ import annotations

import json
from typing import Any

from orchestration.core.definition import json_schema

SAGA_SCHEMA = "#/components/schemas/SagaDefinition"
CLOSED = (
    "StartIn", "ActIn", "AskIn", "DecideIn", "NoteIn", "ResubmitIn", "ReassignIn", "NamePeopleIn", "RemarkIn",
    "DelegationIn",
)  # fmt: skip
STREAM = "/api/v1/runs/{workflow_id}/events/stream"


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A POSTPROCESSING_HOOK of drf-spectacular."""
    schemas = result["components"]["schemas"]
    schemas |= _saga()
    for name in CLOSED:
        schemas[name]["additionalProperties"] = False
    schemas["StartIn"]["oneOf"] = [{"required": ["definition"]}, {"required": ["saga_id"]}]
    events = result["paths"].get("/api/v1/runs/{workflow_id}/events/")
    if events:
        result["paths"][STREAM] = {"get": _stream(events["get"])}
    return result


def _saga() -> dict[str, Any]:
    schema = json.loads(json.dumps(json_schema()).replace("#/$defs/", "#/components/schemas/"))
    parts: dict[str, Any] = schema.pop("$defs")
    del schema["$schema"]
    return {**parts, "SagaDefinition": schema}


def _stream(events: dict[str, Any]) -> dict[str, Any]:
    """Beside the pages of events, and answered by a view that is not REST framework's."""
    resume = {
        "in": "header",
        "name": "Last-Event-ID",
        "schema": {"type": "string"},
        "description": "the number of the last event that was seen; `after` says the same",
    }
    answers = {code: answer for code, answer in events["responses"].items() if code in ("401", "403", "404", "422")}
    return {
        "operationId": "runs_events_stream",
        "description": "The events as they happen, from the first or from `after`; `event: end` after the last.",
        "parameters": [p for p in events["parameters"] if p["name"] != "limit"] + [resume],
        "tags": events["tags"],
        "security": events["security"],
        "responses": {
            "200": {
                "description": "Server-Sent Events",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **answers,
        },
    }
