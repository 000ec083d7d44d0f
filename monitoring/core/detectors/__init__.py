"""One function for each kind of trouble: from a run's facts and norms to the issues that are there or may come.

`recovery`: what recovery has tried in vain; `steps`: what a step says of itself; `attempts`: what is in flight or
ready; `waits`: what is waited for; `progress`: the run as a whole; `ended`: what an end leaves. A detector yields an
issue that is not there yet too, with the moment at which it will be, which is how the next look is found. A sentence
begins with its subject and holds the number, the bound and what the bound is from.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.core.detectors import attempts, ended, progress, recovery, steps, waits
from monitoring.core.enums import CODES, HealthStatus
from monitoring.core.facts import RunFacts
from monitoring.core.health import Health, Possible, judged
from monitoring.core.norms import Norms


def assess(facts: RunFacts, norms: Norms) -> Health:
    """The health of a run at `facts.now`, and until when it holds by itself. Total: the same facts, the same answer."""
    found = list(_of_ended(facts) if facts.ended else _of_open(facts, norms))
    if facts.recoveries or facts.storms:
        found += recovery.recovery(facts) if any(one.at(facts.now) for one in found) else ()
    return judged(found, facts.now, unknown=facts.engine_away_since is not None and not facts.ended)


def _of_ended(facts: RunFacts) -> Iterator[Possible]:
    yield from ended.ended(facts)


def _of_open(facts: RunFacts, norms: Norms) -> Iterator[Possible]:
    yield from steps.steps(facts)
    yield from attempts.attempts(facts, norms)
    yield from waits.waits(facts)
    yield from progress.progress(facts, norms)


__all__ = ["CODES", "HealthStatus", "assess"]
