"""What `config.deployment` may say; what is wrong is told with field, value and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.core.definition import DefinitionErrors
from orchestration.core.deployment import DeploymentConfig, validate_deployment

CALL = {"type": "api_call", "url": "https://deploy.example.com/shop", "method": "POST"}
CHANGE = {"do": CALL, "undo": CALL}
API: dict[str, Any] = {"driver": "api", "start": CHANGE, "switch": CHANGE, "health": "https://shop.example.com/health"}

WRONG: list[tuple[object, str, str, str, str]] = [
    ({"driver": "locl"}, "blue_green", "deployment.driver", "locl", "one of: local, api, script"),
    ({"comand": "x {port}"}, "blue_green", "deployment.comand", "x {port}", "did you mean 'command'?"),
    ({"command": "python app.py"}, "blue_green", "deployment.command", "python app.py", "--port {port}"),
    ({"command": "sh -c 'x {port}"}, "blue_green", "deployment.command", "sh -c", "close the quote"),
    ({"command": []}, "blue_green", "deployment.command", "[]", "{port}"),
    ({"port": "8080"}, "blue_green", "deployment.port", "8080", "1 to 65535"),
    ({"port": 65_536}, "blue_green", "deployment.port", "65536", "1 to 65535"),
    ({"port": True}, "blue_green", "deployment.port", "True", "1 to 65535"),
    ({"health": "health"}, "blue_green", "deployment.health", "health", "begin with /"),
    ({"health": "/a b"}, "blue_green", "deployment.health", "/a b", "percent-encoded"),
    ({"health": "/a\r\nHost: b"}, "blue_green", "deployment.health", "Host", "percent-encoded"),
    ({"health": "http://example.com/"}, "blue_green", "deployment.health", "example.com", "begin with /"),
    ({"window_seconds": 0}, "blue_green", "deployment.window_seconds", "0", "above 0"),
    ({"window_seconds": 86_401}, "blue_green", "deployment.window_seconds", "86401", "at most a day"),
    ({"window_seconds": 2, "interval_seconds": 3}, "canary", "deployment.interval_seconds", "3",
     "at most window_seconds"),
    ({"healthy_share": 1.5}, "blue_green", "deployment.healthy_share", "1.5", "at most 1"),
    ({"replicas": 11}, "rolling", "deployment.replicas", "11", "1 to 10"),
    ({"canary_weights": [50, 10]}, "canary", "deployment.canary_weights", "[50, 10]", "the smallest first"),
    ({"canary_weights": [10, 100]}, "canary", "deployment.canary_weights", "100", "1 to 99"),
    ({"start": CHANGE}, "blue_green", "deployment.start", "", "driver: api or script"),
    ("local", "blue_green", "deployment", "local", "such as {driver: local"),
    ({}, "bluegreen", "deployment_strategy", "bluegreen", "did you mean 'blue_green'?"),
    ({**API, "port": 80}, "blue_green", "deployment.port", "80", "leave it out"),
    ({**API, "health": None}, "blue_green", "deployment.health", "", "give the URL"),
    ({**API, "health": "ftp://example.com"}, "blue_green", "deployment.health", "ftp", "http:// or https://"),
    ({**API, "health": "https://u:p@example.com"}, "blue_green", "deployment.health", "u:p", "no user name"),
    ({**API, "start": None}, "blue_green", "deployment.start", "", "undo: action"),
    ({**API, "switch": CHANGE | {"timeout_seconds": 0}}, "blue_green", "deployment.switch.timeout_seconds", "",
     "1 to 86400"),
    ({"name": "a/b"}, "blue_green", "deployment.name", "a/b", "letters, digits"),
    ({**API, "switch": {"do": CALL}}, "blue_green", "deployment.switch.undo", "", "takes it back"),
    ({**API, "switch": {"do": {"type": "script", "script": "x"}, "undo": CALL}}, "blue_green",
     "deployment.switch.do.type", "script", "use api_call"),
    ({**API, "switch": {"do": CALL | {"method": "FETCH"}, "undo": CALL}}, "blue_green",
     "deployment.switch.do.method", "FETCH", "not an allowed value"),
    (API, "rolling", "deployment_strategy", "rolling", "use blue_green or canary"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "strategy", "field", "value", "remedy"), WRONG, ids=[f"{w[2]}={w[3]}" for w in WRONG])
def test_what_is_wrong_is_told(data: object, strategy: str, field: str, value: str, remedy: str) -> None:
    with pytest.raises(DefinitionErrors) as told:
        validate_deployment(data, strategy)
    found = {problem.field: problem for problem in told.value.problems}
    assert field in found, told.value
    assert value in found[field].value and remedy in f"{found[field].message} {found[field].remedy}", found[field]


def test_every_problem_is_found_at_once() -> None:
    with pytest.raises(DefinitionErrors) as told:
        validate_deployment({"driver": "ftp", "port": -1, "window_seconds": "x", "prot": 1}, "grren")
    assert {problem.field for problem in told.value.problems} == {
        "deployment_strategy", "deployment.driver", "deployment.port", "deployment.window_seconds", "deployment.prot",
    }  # fmt: skip


def test_what_is_right_is_taken() -> None:
    given = {"driver": "local", "command": "python app.py --port {port}", "port": 8080, "health": "/health",
             "window_seconds": 5}  # fmt: skip
    config = validate_deployment(given)
    assert (config.port, config.health, config.window_seconds) == (8080, "/health", 5)
    assert validate_deployment(None) == DeploymentConfig() and validate_deployment(API).driver == "api"
