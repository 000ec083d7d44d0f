"""The OpenAPI document of the server."""

from __future__ import annotations

from typing import Any

STATUS = {"type": "string", "enum": ["running", "stable"]}
TIME = {"type": "string", "format": "date-time"}
ROLE = {"type": "string", "enum": ["agent", "user"]}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"message": {"type": "string"}, "location": {"type": "string"}, "value": {}},
            },
        },
    },
}


def document(version: str) -> dict[str, Any]:
    """Everything that it answers."""
    message = {"id": {"type": "integer"}, "role": ROLE, "content": {"type": "string"}, "time": TIME}
    status = {"status": STATUS, "agent_type": {"type": "string"}, "transport": {"type": "string"}}
    said = {"content": {"type": "string"}, "type": {"type": "string", "enum": ["user", "raw"]}}
    done = _object({"ok": {"type": "boolean"}})
    uploaded = _object({"ok": {"type": "boolean"}, "filePath": {"type": "string"}})
    file = {"multipart/form-data": {"schema": _object({"file": {"type": "string", "format": "binary"}})}}
    messages = {"type": "array", "items": _object(message)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "AgentAPI", "description": "Control coding agents over HTTP.", "version": version},
        "paths": {
            "/status": {"get": _operation("get-status", _object(status))},
            "/messages": {"get": _operation("get-messages", _object({"messages": messages}))},
            "/message": {"post": _operation("post-message", done, {"application/json": {"schema": _object(said)}})},
            "/upload": {"post": _operation("upload-files", uploaded, file)},
            "/events": {"get": _operation("subscribe-events", {"type": "string"}, kind="text/event-stream")},
        },
        "components": {"schemas": {"ErrorModel": PROBLEM}},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _operation(
    name: str, answer: dict[str, Any], asked: dict[str, Any] | None = None, kind: str = "application/json"
) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ErrorModel"}}}
    responses = {
        "200": {"description": "OK", "content": {kind: {"schema": answer}}},
        "default": {"description": "Error", "content": problem},
    }
    body = {"requestBody": {"content": asked, "required": True}} if asked else {}
    return {"operationId": name, "responses": responses, **body}
