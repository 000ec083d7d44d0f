"""From what an author wrote under `config.deployment` to a DeploymentConfig, or to every problem in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import get_args
from urllib.parse import urlsplit

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from orchestration.core.definition import DefinitionErrors, Problem, validate_action
from orchestration.core.definition.problems import did_you_mean, short
from orchestration.core.definition.shape import plain_json
from orchestration.core.deployment.config import Change, DeploymentConfig, Strategy
from orchestration.core.likeness import bounded

STRATEGIES: tuple[str, ...] = get_args(Strategy)
FIELD = "deployment"
PORT = "{port}"
PHASES = ("start", "switch", "drain")
LOCAL_ONLY = ("command", "port", "replicas", "drain_seconds")
ALLOWED = {"api": ("api_call",), "script": ("script", "api_call")}


@bounded
def validate_deployment(data: object, strategy: str = "blue_green") -> DeploymentConfig:
    """The configuration; `data` is what stands under `config.deployment`, None where nothing does.

    Raises DefinitionErrors with a Problem for each fault, their fields beginning with `deployment`.
    """
    found = _strategy_problems(strategy)
    plain = plain_json({} if data is None else data)
    if not isinstance(plain, dict):
        remedy = "such as {driver: local, command: python app.py --port {port}, health: /health}"
        raise DefinitionErrors([*found, _problem("", plain, "must be a mapping", remedy)])
    try:
        config = DeploymentConfig.model_validate(plain)
    except ValidationError as error:
        raise DefinitionErrors([*found, *_problems_of(error, plain)]) from None
    found += [*_of_the_driver(config, strategy), *_of_the_canary(config), *_of_the_window(config)]
    if found:
        raise DefinitionErrors(found)
    return config


def handed(data: object) -> DeploymentConfig:
    """The configuration that a compiled step brings, which has no actions of the author's in it any more.

    Raises DefinitionErrors when it is none.
    """
    if isinstance(data, dict) and data.get("driver", "local") != "local":
        try:
            return DeploymentConfig.model_validate(data)
        except ValidationError as error:
            raise DefinitionErrors(_problems_of(error, data)) from None
    return validate_deployment(data)


def words_of(config: DeploymentConfig) -> tuple[str, ...]:
    """The command in words, none where there is no command. Raises ValueError for a text with an open quote."""
    if isinstance(config.command, str):
        return tuple(shlex.split(config.command))
    return config.command or ()


def _problem(field: str, value: object, message: str, remedy: str) -> Problem:
    shown = "" if value is None else short(value)
    return Problem(step="", field=f"{FIELD}.{field}".rstrip("."), value=shown, message=message, remedy=remedy)


def _strategy_problems(strategy: str) -> list[Problem]:
    if strategy in STRATEGIES:
        return []
    remedy = did_you_mean(strategy, STRATEGIES, "one of")
    message = "is not a known strategy"
    return [Problem(step="", field="deployment_strategy", value=short(strategy), message=message, remedy=remedy)]


def _problems_of(error: ValidationError, data: Mapping[str, JsonValue]) -> list[Problem]:
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        key = str(detail["loc"][0]) if detail["loc"] else ""
        field = ".".join(str(part) for part in detail["loc"][:2]) if key in PHASES else key
        found.setdefault(field, _one(detail, field, key, data))
    return list(found.values())


def _one(detail: ErrorDetails, field: str, key: str, data: Mapping[str, JsonValue]) -> Problem:
    if detail["type"] == "extra_forbidden":
        known = list((Change if key in PHASES else DeploymentConfig).model_fields)
        return _problem(
            field, data.get(key), "is not a known key", did_you_mean(field.split(".")[-1], known, "the keys here are")
        )
    fields = DeploymentConfig.model_fields
    inner = Change.model_fields.get(field.removeprefix(f"{key}.")) if key in PHASES else None
    about = inner or fields.get(key)
    remedy = str(about.description) if about else "see the deployment guide"
    if detail["type"] == "missing":
        return _problem(field, None, "is missing", remedy)
    return _problem(field, data.get(key), "is not valid", remedy)


def _of_the_driver(config: DeploymentConfig, strategy: str) -> Iterator[Problem]:
    if config.driver == "local":
        yield from _local(config)
        return
    given = config.model_fields_set
    for key in LOCAL_ONLY:
        if key in given:
            remedy = f"leave it out, or use the driver local; {config.driver} does what start, switch and drain say"
            yield _problem(key, getattr(config, key), f"has no meaning with the driver {config.driver}", remedy)
    for phase in ("start", "switch"):
        if getattr(config, phase) is None:
            yield _problem(phase, None, "is missing", str(DeploymentConfig.model_fields[phase].description))
    if strategy in ("rolling", "recreate"):
        message = f"is not done by the driver {config.driver}"
        remedy = "use blue_green or canary; a service that rolls by itself is switched as blue_green"
        yield Problem(step="", field="deployment_strategy", value=short(strategy), message=message, remedy=remedy)
    yield from _changes(config)
    yield from _urls(config)


def _local(config: DeploymentConfig) -> Iterator[Problem]:
    for key in (*PHASES, "previous_version"):
        if key in config.model_fields_set:
            remedy = "leave it out, or use driver: api or script"
            yield _problem(key, None, "has no meaning with the driver local", remedy)
    if config.health is not None and not (isinstance(config.health, str) and config.health.startswith("/")):
        yield _problem(
            "health", config.health, "must be a path", "begin with /, such as /health; the driver local knows its host"
        )
    elif isinstance(config.health, str) and (
        any(ord(c) <= 32 or ord(c) > 126 for c in config.health) or len(config.health) > 1024
    ):
        yield _problem(
            "health", config.health, "is no path of a URL", "use at most 1024 visible ASCII characters, percent-encoded"
        )
    if config.command is None:
        return
    try:
        words = words_of(config)
    except ValueError as error:
        yield _problem(
            "command",
            config.command,
            f"cannot be read: {str(error).lower()}",
            "close the quote, or give a list of words",
        )
        return
    if not words or not any(PORT in word for word in words):
        yield _problem(
            "command",
            config.command,
            "does not say on which port to listen",
            "put {port} where the port belongs: python app.py --port {port}",
        )
    if any("\0" in word for word in words):
        yield _problem("command", config.command, "holds a NUL", "leave it out")


def _of_the_canary(config: DeploymentConfig) -> Iterator[Problem]:
    weights = config.canary_weights
    if list(weights) != sorted(set(weights)):
        yield _problem(
            "canary_weights", list(weights), "do not grow", "give each weight once, the smallest first, as [10, 50]"
        )


def _of_the_window(config: DeploymentConfig) -> Iterator[Problem]:
    if config.interval_seconds > config.window_seconds:
        remedy = f"make it at most window_seconds ({config.window_seconds:g})"
        yield _problem("interval_seconds", config.interval_seconds, "is longer than the window", remedy)


def _changes(config: DeploymentConfig) -> Iterator[Problem]:
    for phase in PHASES:
        change: Change | None = getattr(config, phase)
        if change is None:
            continue
        for part in ("do", "undo"):
            action: dict[str, JsonValue] = getattr(change, part)
            kind = action.get("type")
            if kind not in ALLOWED[config.driver]:
                allowed = " or ".join(ALLOWED[config.driver])
                yield _problem(
                    f"{phase}.{part}.type", kind, f"is not what the driver {config.driver} does", f"use {allowed}"
                )
                continue
            try:
                validate_action(action, undo=part == "undo", field=f"{FIELD}.{phase}.{part}")
            except DefinitionErrors as error:
                yield from error.problems


def _urls(config: DeploymentConfig) -> Iterator[Problem]:
    if config.health is None:
        yield _problem(
            "health", None, "is missing", "give the URL, or the list of URLs, that says whether the new release is well"
        )
        return
    for url in (config.health,) if isinstance(config.health, str) else config.health:
        if not _is_url(url):
            yield _problem(
                "health", url, "is no URL that can be asked", "use http:// or https:// with a host, and no user name"
            )


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
