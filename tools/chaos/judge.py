"""The figures, from what was seen. Pure; docs/explanation/reliability.md says in words what is counted."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tools.chaos.plan import ENGINES, WORKERS, engine_of
from tools.chaos.records import Call, Hit, Saga

LEASE_SECONDS = 6.0
GOAL_SECONDS = 10.0
"""The goal of recovery, p95."""
STEPS = {
    "plain": ("a", "b", "c"),
    "gate": ("a", "b", "c"),
    "timer": ("a", "b"),
    "undo": ("a", "b"),
    "child": ("a", "x", "y", "b"),
    "child-undo": ("a", "x", "y"),
}
"""The shapes of the sagas → what they make at the peer, in this order."""


@dataclass(slots=True, kw_only=True)
class Figures:
    started: int = 0
    ended: int = 0
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    ended_otherwise: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated_after_a_fault: int = 0
    effects_missing: list[str] = field(default_factory=list)
    undo_missing: list[str] = field(default_factory=list)
    undo_out_of_order: list[str] = field(default_factory=list)
    recovery: list[float] = field(default_factory=list)
    slowest: str = ""

    def is_clean(self) -> bool:
        return not any(
            (self.lost, self.stuck, self.ended_otherwise, self.doubled, self.effects_missing, self.undo_missing,
             self.undo_out_of_order)
        )  # fmt: skip

    def recovers_in_time(self) -> bool:
        return percentile(self.recovery, 95) < GOAL_SECONDS


def judge(engine: str, sagas: Sequence[Saga], calls: Iterable[Call], hits: Sequence[Hit], left: set[str]) -> Figures:
    """Of one engine. `left`: the paths of the things that are there at the end."""
    found = Figures()
    ours = [saga for saga in sagas if saga.engine == engine]
    of_run = defaultdict[str, list[Call]](list)
    for call in calls:
        of_run[run_of(call.path)].append(call)
    for saga in ours:
        found.started += 1
        found.ended += saga.ended
        if not saga.found:
            found.lost.append(saga.name)
        elif not saga.ended:
            found.stuck.append(f"{saga.name} ({saga.shape}) is {saga.status}")
        elif saga.status != saga.wanted:
            found.ended_otherwise.append(f"{saga.name} ({saga.shape}) is {saga.status}, not {saga.wanted}")
        else:
            _judge_effects(found, saga, of_run[saga.name], left)
        _judge_repeats(found, of_run[saga.name], hits)
    times = recovery(engine, ours, of_run, hits)
    found.recovery = [seconds for seconds, _ in times]
    found.slowest = max(times, default=(0.0, ""))[1]
    return found


def run_of(path: str) -> str:
    return path.split("/")[1]


def _judge_effects(found: Figures, saga: Saga, calls: list[Call], left: set[str]) -> None:
    names = STEPS[saga.shape]
    standing = {name for name in names if f"/{saga.name}/{name}" in left}
    if saga.wanted == "completed":
        found.effects_missing += [f"{saga.name} has no {name}" for name in names if name not in standing]
        return
    found.undo_missing += [f"{saga.name} still has {name}" for name in sorted(standing)]
    first = {
        name: min((call.began for call in calls if call.method == "DELETE" and _name(call) == name), default=None)
        for name in names
    }
    for earlier, later in pairwise(names):
        before, after = first[earlier], first[later]
        if before is not None and (after is None or after > before):
            found.undo_out_of_order.append(f"{saga.name}: {earlier} was undone before {later}")


def _name(call: Call) -> str:
    return call.path.rsplit("/", 1)[-1]


def _judge_repeats(found: Figures, calls: Iterable[Call], hits: Sequence[Hit]) -> None:
    """A call that comes again is doubled unless a fault took one of its two workers away in between."""
    of_key = defaultdict[tuple[str, str], list[Call]](list)
    for call in calls:
        of_key[call.key, call.method].append(call)
    for (key, _), same in of_key.items():
        for first, second in pairwise(sorted(same, key=lambda call: call.began)):
            if _taken_away(first, second, hits):
                found.repeated_after_a_fault += 1
            else:
                what = "beside itself" if second.began < first.ended else "again"
                found.doubled.append(f"{key} {what}: {first.worker or '?'}, then {second.worker or '?'}")


def _taken_away(first: Call, second: Call, hits: Iterable[Hit]) -> bool:
    """Whether either worker ended, or lost its lease, by a fault on itself that touches the time of the two calls."""
    return any(
        hit.target in (first.worker, second.worker)
        and hit.began <= second.began
        and hit.ended >= first.began
        and (hit.kind in ("kill", "restart") or (hit.kind in ("stall", "cut") and _seconds(hit) >= LEASE_SECONDS))
        for hit in hits
    )


def _seconds(hit: Hit) -> float:
    return hit.ended - hit.began


def recovery(
    engine: str, sagas: Sequence[Saga], of_run: dict[str, list[Call]], hits: Iterable[Hit]
) -> list[tuple[float, str]]:
    """Seconds from the end of each fault to the next progress, and of what after which fault: of each run that had a
    call in flight with what was hit, or, when none had, of any run of the engine. Progress is an event of the run, or
    a call of it at the peer.
    """
    moments = {saga.name: sorted([*saga.progress, *(call.began for call in of_run[saga.name])]) for saga in sagas}
    every = sorted(moment for of_one in moments.values() for moment in of_one)
    found = []
    for hit in hits:
        if not _concerns(hit, engine):
            continue
        since = hit.began if hit.target in WORKERS else hit.ended
        concerned = [name for name in hit.concerned if name in moments]
        after = f"after {hit.kind} {hit.target} {hit.link}".rstrip()
        for name, row in [(name, moments[name]) for name in concerned] or [("any", every)]:
            if (following := _after(row, since)) is not None:
                found.append((max(0.0, following - hit.ended), f"{name} {after}"))
    return found


def _concerns(hit: Hit, engine: str) -> bool:
    if hit.target in WORKERS:
        return engine_of(hit.target) == engine
    return {"valkey": "celery", "temporal": "temporal"}.get(hit.target, engine) == engine


def _after(moments: Sequence[float], since: float) -> float | None:
    place = bisect_right(moments, since)
    return moments[place] if place < len(moments) else None


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank; 0 of no values."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def faults_by_kind(hits: Iterable[Hit]) -> dict[str, int]:
    return dict(sorted(Counter(f"{hit.kind} {_sort_of(hit.target)}" for hit in hits).items()))


def _sort_of(target: str) -> str:
    return f"{engine_of(target)} worker" if target in WORKERS else target


__all__ = ["ENGINES", "Figures", "faults_by_kind", "judge", "percentile", "recovery"]
