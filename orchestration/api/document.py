"""What the OpenAPI document holds besides what the views say: the schemas of sagas and projects, and the streams."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from orchestration.core.definition import json_schema
from orchestration.core.project import ProjectConfig, ProjectSpec

SCHEMAS = "#/components/schemas/"
SAGA_SCHEMA = f"{SCHEMAS}SagaDefinition"
SPEC_SCHEMA, CONFIG_SCHEMA = f"{SCHEMAS}ProjectSpec", f"{SCHEMAS}ProjectConfig"
CLOSED = (
    "StartIn", "ActIn", "AskIn", "DecideIn", "NoteIn", "ResubmitIn", "ReassignIn", "NamePeopleIn", "RemarkIn",
    "DelegationIn", "AlertNoteIn", "AlertResolveIn", "SilenceIn", "AgentIn", "ProjectIn", "ProjectSpecIn",
)  # fmt: skip
RUN = "/api/v1/runs/{workflow_id}"
STREAMS = {
    f"{RUN}/events/stream": (
        f"{RUN}/events/", "runs_events_stream", "runs", "The events as they happen, from the first or from `after`"
    ),
    f"{RUN}/logs/stream": (
        f"{RUN}/logs/", "runs_logs_stream", "runs", "The log as it comes, from the beginning or from `after`"
    ),
    "/api/v1/projects/{workflow_id}/output/": (
        f"{RUN}/logs/", "projects_output", "projects",
        "The lines of all agents of a project as they come, from the beginning or from `after`",
    ),
}  # fmt: skip
"""The pages that it is asked like, the operation's id, its tag, and what it gives."""


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A POSTPROCESSING_HOOK of drf-spectacular."""
    schemas = result["components"]["schemas"]
    added = _saga() | _model(ProjectSpec) | _model(ProjectConfig)
    if both := schemas.keys() & added.keys():
        raise ValueError(f"a serializer and a model share a name in the document: {', '.join(sorted(both))}")
    schemas |= added
    for name in CLOSED:
        schemas[name]["additionalProperties"] = False
    schemas["StartIn"]["oneOf"] = [{"required": ["definition"]}, {"required": ["saga_id"]}]
    for path, (pages, operation, tag, gives) in STREAMS.items():
        if found := result["paths"].get(pages):
            result["paths"][path] = {"get": _stream(found["get"], operation, gives) | {"tags": [tag]}}
    return result


def _saga() -> dict[str, Any]:
    schema = json.loads(json.dumps(json_schema()).replace("#/$defs/", SCHEMAS))
    parts: dict[str, Any] = schema.pop("$defs")
    del schema["$schema"]
    return {**parts, "SagaDefinition": schema}


def _model(model: type[BaseModel]) -> dict[str, Any]:
    """What a model takes. Its parts are called after it, since answers have parts of the same names."""
    name = model.__name__
    schema = json.loads(json.dumps(model.model_json_schema()).replace("#/$defs/", SCHEMAS + name))
    parts: dict[str, Any] = schema.pop("$defs", {})
    return {**{f"{name}{part}": found for part, found in parts.items()}, name: schema}


def _stream(pages: dict[str, Any], operation: str, gives: str) -> dict[str, Any]:
    """Beside the pages, and answered by a view that is not REST framework's."""
    resume = {
        "in": "header",
        "name": "Last-Event-ID",
        "schema": {"type": "string"},
        "description": "the id of the last one that was seen; `after` says the same",
    }
    answers = {code: answer for code, answer in pages["responses"].items() if code in ("401", "403", "404", "422")}
    return {
        "operationId": operation,
        "description": f"{gives}; `event: end` after the last.",
        "parameters": [p for p in pages["parameters"] if p["name"] in ("workflow_id", "after")] + [resume],
        "security": pages["security"],
        "responses": {
            "200": {
                "description": "Server-Sent Events",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **answers,
        },
    }
