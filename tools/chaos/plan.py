"""Which fault comes when: a pure function of the seed and the time there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

ENGINES = ("celery", "temporal")
WORKERS = tuple(f"{engine}-{number}" for engine in ENGINES for number in (1, 2))
SERVERS = ("postgres", "valkey", "temporal")

QUIET_BEFORE, QUIET_AFTER = 5.0, 15.0
"""Seconds without faults at the beginning and at the end: the last fault needs time to show what it did."""
SIBLING_SECONDS = 20.0
"""How long the other worker of an engine is left alone after one was hit: somebody is to take over."""
PAUSES = (2.0, 6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`at` and `seconds`: when it begins, after the start of the plan, and how long it lasts.

    `kind`: kill (SIGKILL, and away for so long), restart (told to stop, and started again after so long), stall
    (SIGSTOP, then SIGCONT), cut (its connections break and none is let in), commit (half of its COMMITs reach
    PostgreSQL, and their answers are lost with the connection). `target`: a worker or a server. `link`: the server that
    a cut or a lost commit of a worker concerns.
    """

    at: float
    kind: str
    target: str
    seconds: float
    link: str = ""


@dataclass(frozen=True, slots=True)
class _Card:
    kind: str
    target: str
    shortest: float
    longest: float
    link: str = ""


def cards() -> list[_Card]:
    """Every fault there is, with the bounds of its length. A stall of a worker is longer than its lease of 6 s."""
    dealt: list[_Card] = []
    for worker in WORKERS:
        dealt += [
            _Card("kill", worker, 0.5, 3.0),
            _Card("restart", worker, 0.5, 2.0),
            _Card("stall", worker, 8.0, 11.0),
            _Card("commit", worker, 4.0, 8.0, "postgres"),
            *(_Card("cut", worker, 0.0, 4.0, link) for link in links_of(worker)),
        ]
    for server in SERVERS:
        dealt += [
            _Card("kill", server, 0.5, 4.0),
            _Card("restart", server, 0.5, 3.0),
            _Card("stall", server, 1.0, 4.0),
            _Card("cut", server, 0.0, 4.0),
        ]
    return dealt


def engine_of(worker: str) -> str:
    return worker.rpartition("-")[0]


def links_of(worker: str) -> tuple[str, ...]:
    return ("postgres", {"celery": "valkey", "temporal": "temporal"}[engine_of(worker)])


def plan(seed: int, seconds: float) -> tuple[Fault, ...]:
    """One fault after another; each kind at each target before any comes again, as far as the time goes."""
    random, at, faults = Random(f"faults {seed}"), QUIET_BEFORE, list[Fault]()
    deck = _deck(random)
    waiting: list[_Card] = []
    while True:
        card = next((held for held in waiting if _may(held, at, faults)), None)
        if card is not None:
            waiting.remove(card)
        else:
            card = next(deck)
            if not _may(card, at, faults):
                waiting.append(card)
                continue
        lasts = round(random.uniform(card.shortest, card.longest), 1)
        if at + lasts > seconds - QUIET_AFTER:
            return tuple(faults)
        faults.append(Fault(at=round(at, 1), kind=card.kind, target=card.target, seconds=lasts, link=card.link))
        at += lasts + random.uniform(*PAUSES)


def _deck(random: Random) -> Iterator[_Card]:
    while True:
        dealt = cards()
        random.shuffle(dealt)
        yield from dealt


def _may(card: _Card, at: float, faults: list[Fault]) -> bool:
    """Whether the other worker of its engine has been left alone for long enough."""
    if card.target not in WORKERS:
        return True
    siblings = {worker for worker in WORKERS if engine_of(worker) == engine_of(card.target)} - {card.target}
    return all(at - (fault.at + fault.seconds) >= SIBLING_SECONDS for fault in faults if fault.target in siblings)
