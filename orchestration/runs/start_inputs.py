"""What a start is given, checked: handle, context and configuration."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.conf import settings

from foundation import audit
from foundation.errors import BadInput
from notifications.channels.targets import NAME
from orchestration.core.definition import DefinitionErrors, SagaDefinition
from orchestration.core.definition.shape import plain_json
from orchestration.core.likeness import bounded, nearest
from orchestration.core.saga.second_chances import are_pauses

LONGEST_HANDLE = 200

WORKFLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}")

CONTEXT_LEVELS = 150
"""So deep that a template may put any output that is kept (100 levels) into a child's context."""

CONFIG_KEYS = frozenset({"timeout_seconds", "max_parallel"})
CARRIED = ("monitoring_enabled", "alert_on_failure", "notification_channels", "retry_failed_steps")
"""What the runs below a run have of its configuration."""

ALIKE = 0.85
"""How alike a key of the configuration is to a known one that it was probably meant to be."""

MOST_CHANNELS, LONGEST_CHANNEL = 20, 200


def merged_context(definition: SagaDefinition, context: dict[str, Any] | None) -> dict[str, Any]:
    """The definition's own context with the given one laid over it. Raises BadInput."""
    if context is not None and not isinstance(context, dict):
        raise BadInput(f"context must be a mapping, not {type(context).__name__}", field="context")
    return {**definition.context, **(plain_context(context) if context else {})}


def plain_context(context: dict[str, Any]) -> dict[str, Any]:
    """A context as it is stored: JSON, at most ZEN_MAX_OUTPUT_BYTES.

    Raises:
        BadInput: with the key that is wrong.
    """
    most, remedy = settings.ZEN_MAX_OUTPUT_BYTES, "let a step fetch what is large; the limit is ZEN_MAX_OUTPUT_BYTES"
    try:
        plain: Any = plain_json({"context": context}, most_bytes=most, most_levels=CONTEXT_LEVELS, remedy=remedy)
    except DefinitionErrors as errors:
        wrong = errors.problems[0]
        field = wrong.field or "context"
        got = f" (got {wrong.value})" if wrong.value else ""
        raise BadInput(f"{field}: {wrong.message}{got}", field=field, remedy=wrong.remedy) from None
    found: dict[str, Any] = plain["context"]
    return found


def handle_for(workflow_id: str, definition: SagaDefinition) -> str:
    """The run's handle, as of `handle_of`."""
    return handle_of(workflow_id, definition.saga_id, field="workflow_id")


def handle_of(given: str, stem: str, *, field: str) -> str:
    """The handle that was given, or a new one that begins with `stem`. `field`: its name in an error.

    Raises:
        BadInput: characters that a handle may not have, or the name of an audit chain that belongs to no run.
    """
    handle = given or f"{stem}-{uuid.uuid4().hex[:10]}"
    if not WORKFLOW_ID.fullmatch(handle):
        raise BadInput(
            f"{field} {handle[:80]!r} is not usable",
            field=field,
            remedy="letters, digits and _ . : ~ -, at most 200, beginning with a letter or digit",
        )
    if audit.NO_RUNS.fullmatch(handle):
        raise BadInput(
            f"{field} '{handle}' is the name of a chain of the audit that belongs to no run", field=field,
            remedy="choose another; 'notifications', 'logins' and 'endpoint:' with a number are taken",
        )  # fmt: skip
    return handle


def check_config(config: dict[str, Any]) -> None:
    """Refuse bounds that are out of range. Raises BadInput."""
    for key in CONFIG_KEYS & config.keys():
        value = config[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise BadInput(f"config.{key} is {value!r}", field=f"config.{key}", remedy="give a number above 0")
    if not 1 <= config.get("max_parallel", 1) <= 200:
        raise BadInput("config.max_parallel is out of range", field="config.max_parallel", remedy="1 to 200")
    for key in ("monitoring_enabled", "alert_on_failure"):
        if not isinstance(value := config.get(key, True), bool):
            raise BadInput(f"config.{key} is {value!r}", field=f"config.{key}", remedy="true or false")
    check_channels(config.get("notification_channels", []), field="config.notification_channels")
    again = config.get("retry_failed_steps", False)
    if not isinstance(again, bool) and not are_pauses(again):
        raise BadInput(
            f"config.retry_failed_steps is {again!r}"[:200], field="config.retry_failed_steps",
            remedy="true, false, or a list of 1 to 10 pauses in seconds, each above 0 and at most 3600",
        )  # fmt: skip


def refuse_slips(config: dict[str, Any]) -> None:
    """Refuse a key that was probably meant to be one that is read; other keys are kept for whoever reads them.

    Raises:
        BadInput: with the key that was meant.
    """
    if slips := _slips(config):
        key, meant = slips[0]
        raise BadInput(f"config.{key[:80]} is not known", field=f"config.{key[:80]}", remedy=f"did you mean '{meant}'?")


@bounded
def _slips(config: dict[str, Any]) -> list[tuple[str, str]]:
    """Keys beside the one that each was probably meant to be."""
    known = (*CONFIG_KEYS, *CARRIED)
    near = [(str(key), nearest(key, known, cutoff=ALIKE)) for key in config if key not in known]
    return [(key, meant) for key, meant in near if meant]


def carried_on(config: dict[str, Any]) -> dict[str, Any]:
    """What the runs below a run have of its configuration."""
    kept = usable(config)
    return {key: kept[key] for key in CARRIED if key in kept}


def usable(config: dict[str, Any]) -> dict[str, Any]:
    """A stored configuration without what would be refused today: older releases kept any value of these keys."""
    slips = {key for key, _ in _slips(config)}
    found = {key: value for key, value in config.items() if key not in slips}
    for key in CARRIED:
        try:
            check_config({key: found[key]} if key in found else {})
        except BadInput:
            del found[key]
    return found


def check_channels(names: object, *, field: str) -> None:
    """Refuse what is no list of names of channels. They need not exist yet: who is told is known when it is told.

    Raises:
        BadInput: no list, more than 20, or a text that is no such name.
    """
    remedy = "a list of 20 at most, such as ['slack://deployments']"
    if not isinstance(names, list) or len(names) > MOST_CHANNELS:
        raise BadInput(f"{field} is not such a list", field=field, remedy=remedy)
    for name in names:
        if not isinstance(name, str) or len(name) > LONGEST_CHANNEL or not NAME.fullmatch(name):
            raise BadInput(f"{str(name)[:80]!r} is no name of a channel", field=field, remedy=remedy)
