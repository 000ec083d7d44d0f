"""What an agent may only propose, and whether a run still is as it was shown to those who decide about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.core.enums import Answer, Verb

PROPOSED = frozenset({Verb.ABORT, Verb.SKIP, Verb.RERUN})
"""Verbs that cannot be taken back: they undo, leave out or repeat effects."""


def people_decide(verb: Verb, answer: str = "") -> bool:
    """Whether an agent only proposes this act. `answer`: of RESOLVE; a loss is accepted by people alone."""
    return verb in PROPOSED or (verb is Verb.RESOLVE and answer == Answer.ACCEPT_LOSS)


def beyond(shown: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What an act would do now and was not shown, such as "undo charge"; [] while a yes to what was shown covers it.

    `shown`, `now`: the consequences of the same act as JSON, as previews of acts have them. What was in flight may
    have happened since.
    """
    told = set(_effects(shown))
    busy, undone = {name for does, name in told if does == "stop"}, {name for does, name in told if does == "undo"}
    before = told | {("undo", name) for name in busy} | {("stop", name) for name in undone}
    return [f"{does} {name}" for does, name in dict.fromkeys(_effects(now)) if (does, name) not in before]


def _effects(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("undo", name) for wave in found.get("waves", ()) for name in wave)
    yield from (("let stand", name) for name in found.get("without_undo", ()))
    yield from (("stop", name) for name in found.get("in_flight", ()))
    yield from (("run again", name) for name in found.get("again", ()))
    yield from (("repeat the effects of", name) for name in found.get("repeated", ()))
    for name, iterations in found.get("earlier", {}).items():
        yield from (("let stand", f"{name} (iteration {number})") for number in iterations)
