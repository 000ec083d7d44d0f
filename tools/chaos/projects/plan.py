"""Which fault comes when: a pure function of the seed and the time there is."""

from __future__ import annotations

from random import Random

from tools.chaos.plan import SERVERS, SIBLING_SECONDS, WORKERS, Fault, engine_of, links_of

PLACES = ("agent", "keeper", "deployed")
"""Processes that projects own; which of them is hit is chosen when the fault comes."""
QUIET_BEFORE, QUIET_AFTER = 8.0, 10.0
PAUSES = (1.0, 4.0)


def cards(engines: tuple[str, ...], *, disk: bool) -> list[tuple[str, str, float, float, str]]:
    """Every fault that there is: kind, target, bounds of its length, link."""
    dealt: list[tuple[str, str, float, float, str]] = []
    for worker in (one for one in WORKERS if engine_of(one) in engines):
        dealt += [
            ("kill", worker, 0.5, 3.0, ""), ("restart", worker, 0.5, 2.0, ""), ("stall", worker, 8.0, 14.0, ""),
            ("freeze", worker, 8.0, 14.0, ""), ("commit", worker, 4.0, 8.0, "postgres"),
            *(("cut", worker, 0.0, 4.0, link) for link in links_of(worker)),
        ]  # fmt: skip
    away = {"valkey": "celery", "temporal": "temporal"}
    for server in (one for one in SERVERS if away.get(one, engines[0]) in engines):
        dealt += [(kind, server, 0.5, 4.0, "") for kind in ("kill", "restart", "stall", "cut")]
    for place in PLACES:
        dealt += [("kill", place, 0.0, 0.0, ""), ("stall", place, 1.0, 8.0, "")]
    dealt += [("locks", "git", 0.0, 0.0, "")] * 3
    return [*dealt, *([("full", "disk", 1.0, 5.0, "")] * 3 if disk else [])]


def plan(seed: int, seconds: float, engines: tuple[str, ...], *, disk: bool) -> tuple[Fault, ...]:
    """One fault after another; a worker is left alone for a while after its sibling was hit."""
    random, at, faults = Random(f"projects {seed}"), QUIET_BEFORE, list[Fault]()
    deck = cards(engines, disk=disk)
    while True:
        kind, target, shortest, longest, link = random.choice(deck)
        if target in WORKERS and any(
            one.target in WORKERS and one.target != target and engine_of(one.target) == engine_of(target)
            and at - (one.at + one.seconds) < SIBLING_SECONDS for one in faults
        ):  # fmt: skip
            at += 0.1
            continue
        lasts = round(random.uniform(shortest, longest), 1)
        if at + lasts > seconds - QUIET_AFTER:
            return tuple(faults)
        faults.append(Fault(at=round(at, 1), kind=kind, target=target, seconds=lasts, link=link))
        at += lasts + random.uniform(*PAUSES)
