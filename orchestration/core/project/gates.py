"""When people are asked: from what a spec calls a gate to the place where it stands.

A gate that names a task is looked for first, then a phase, then words that say when, then a requirement. What matches
nothing is refused at the start, so that no gate is passed by silently.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestration.core.definition.problems import Problem
from orchestration.core.project.faults import fault
from orchestration.core.project.phases import GATE, PHASES
from orchestration.core.project.plan import PlanGate
from orchestration.core.project.requirements import ledger, requirement_ids
from orchestration.core.project.rules_planner import plan_by_rules
from orchestration.core.project.spec import GateSpec, ProjectSpec

Named = Sequence[tuple[str, str, str]]
"""Of each task its id, its title, and the text by which a gate may name it."""

Side = Literal["before", "after"]

WORDS: tuple[tuple[re.Pattern[str], Side, str], ...] = (
    (re.compile(r"architect\w*|designs?|designing|plans?|planned|planning"), "before", "build"),
    (re.compile(r"security|performance|tests?|tested|testing"), "after", "verify"),
    (re.compile(r"deploy\w*|production|releas\w*"), "before", "deploy"),
    (re.compile(r"reviews?|reviewed|reviewing"), "after", "verify"),
)
"""Words that say when. What is said by `review` alone comes last: a release review is one before the release."""

PARTS = re.compile(r"apis?|backends?|frontends?|databases?|interfaces?")
"""Words for parts of the work: before the merge of the tasks that they name, else before `verify`."""

COMMON = frozenset({
    "a", "an", "and", "approval", "approve", "approved", "check", "for", "gate", "in", "of", "ok", "on", "or", "sign",
    "signoff", "system", "the", "to", "with",
})  # fmt: skip
"""Words that name nothing by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseGate:
    """A gate that stands beside a phase of the project."""

    gate_id: str
    gate: GateSpec
    side: Side
    phase: str


def phase_gates(spec: ProjectSpec) -> tuple[PhaseGate, ...]:
    """The gates of a valid spec that stand beside its phases, in the order of the spec."""
    found = []
    for gate_id, gate in _with_ids(spec):
        place = _phase_of(gate) if _explicit_task(gate) is None and not _tasks_named(gate, _given(spec)) else None
        if place is None and _is_of_all(spec, gate):
            place = "before", "verify"
        if place is not None:
            found.append(PhaseGate(gate_id=gate_id, gate=gate, side=place[0], phase=place[1]))
    return tuple(found)


def plan_gates(spec: ProjectSpec, tasks: Named) -> tuple[PlanGate, ...]:
    """The gates that stand beside tasks, or when all tasks of a plan that was not known at the start are merged."""
    beside = {one.gate_id for one in phase_gates(spec)}
    found: list[PlanGate] = []
    for gate_id, gate in _with_ids(spec):
        if gate_id not in beside:
            found += _beside_tasks(gate_id, gate, tasks)
    return tuple(found)


def may_name_no_task(spec: ProjectSpec) -> bool:
    """Whether a gate has no place before the plan is made, and may then name none of its tasks."""
    beside = {one.gate_id for one in phase_gates(spec)}
    return any(gate_id not in beside and not _explicit(gate) for gate_id, gate in _with_ids(spec))


def gate_faults(spec: ProjectSpec) -> list[Problem]:
    """One for each gate that names nothing, or a phase or task that there is not."""
    found, tasks = [], _given(spec)
    for number, gate in enumerate(spec.approval_gates):
        at, text = f"approval_gates[{number}]", _explicit(gate)
        if gate.before and gate.after:
            found.append(fault(at, gate.name, "is both before and after", "give one of the two"))
        elif text:
            side = "before" if gate.before else "after"
            unsure = spec.planner == "agent" and not spec.tasks  # the tasks are known when the plan is
            if text.casefold() not in PHASES and not _exactly(text, tasks) and not unsure:
                found.append(fault(f"{at}.{side}", text, "is no phase and no task", _places(tasks)))
        elif not (_tasks_named(gate, tasks) or _phase_of(gate) or _parts(gate) or _requirements(spec, gate)):
            remedy = f"say when by `before` or `after`; {_places(tasks)}"
            found.append(fault(at, gate.name, "matches no task, phase, word or requirement", remedy))
    return found


def faults_of_named(spec: ProjectSpec, tasks: Named) -> list[Problem]:
    """One for each gate whose task is not in a plan that was made after the start."""
    return [
        fault(
            "tasks", None, f"lack the task '{text}' that the gate '{gate.name}' names", f"give a task the id '{text}'"
        )
        for gate in spec.approval_gates
        if (text := _explicit_task(gate)) is not None and not _exactly(text, tasks)
    ]


def _beside(gate: GateSpec, tasks: Named) -> list[str]:
    """The tasks that a gate names, exactly or by its words."""
    names = _exactly(_explicit(gate) or gate.name, tasks)
    if not names and not _explicit(gate):
        names = [task_id for task_id, _, words in tasks if _common(_parts(gate), words)]
        names = names or [task_id for task_id, _, words in tasks if _shares(gate, words)]
    return names


def _is_of_all(spec: ProjectSpec, gate: GateSpec) -> bool:
    """Whether a gate without a place names none of the tasks that are known: it stands before `verify`."""
    tasks = _given(spec)
    return bool(tasks) and not _explicit(gate) and not _beside(gate, tasks)


def _beside_tasks(gate_id: str, gate: GateSpec, tasks: Named) -> list[PlanGate]:
    names = _beside(gate, tasks)
    kept = {"name": gate.name, "after": bool(gate.after), "policy": gate.policy, "approvers": gate.approvers}
    if not names:
        return [PlanGate(gate_id=gate_id, **kept)]
    return [PlanGate(gate_id=f"{gate_id}-{name}", task_id=name, **kept) for name in names]


def _with_ids(spec: ProjectSpec) -> list[tuple[str, GateSpec]]:
    """Each gate with its id, which says its place in the spec, so that two of one name are two gates."""
    return [
        (f"{GATE}{number}-{re.sub(r'[^a-z0-9]+', '-', gate.name.casefold()).strip('-')[:30]}".strip("-"), gate)
        for number, gate in enumerate(spec.approval_gates, 1)
    ]


def _given(spec: ProjectSpec) -> Named:
    """The tasks that are known before the plan is made."""
    texts = {one.requirement_id: one.text for one in ledger(spec)}
    tasks = spec.tasks or (plan_by_rules(spec) if spec.planner == "rules" else ())
    return [
        (
            task.task_id,
            task.title,
            "\n".join([task.title, *(texts[one] for one in requirement_ids(task.requirements, ledger(spec))[0])]),
        )
        for task in tasks
    ]


def _explicit(gate: GateSpec) -> str:
    return (gate.before or gate.after).strip()


def _explicit_task(gate: GateSpec) -> str | None:
    """What an explicit gate names, where that is no phase."""
    text = _explicit(gate)
    return text if text and text.casefold() not in PHASES else None


def _exactly(text: str, tasks: Named) -> list[str]:
    wanted = text.strip().casefold()
    return [task_id for task_id, title, _ in tasks if wanted in (task_id.casefold(), title.strip().casefold())]


def _tasks_named(gate: GateSpec, tasks: Named) -> list[str]:
    return [] if _explicit(gate) else _exactly(gate.name, tasks)


def _phase_of(gate: GateSpec) -> tuple[Side, str] | None:
    if text := _explicit(gate):
        phase = text.casefold()
        return (("before" if gate.before else "after"), phase) if phase in PHASES else None
    words = _words(gate.name)
    for phase in PHASES:
        if phase in words and phase != "plan":  # a plan is looked at when it is there
            return "before", phase
    for pattern, side, phase in WORDS:
        if any(pattern.fullmatch(word) for word in words):
            return side, phase
    return None


def _words(text: str) -> list[str]:
    joined = re.sub(r"\b(back|front)[\s-]end\b", r"\1end", text.casefold())
    return re.findall(r"[^\W_]+", joined)


def _parts(gate: GateSpec) -> set[str]:
    """The words for parts of the work in the name of a gate, without a plural's s."""
    return {word.removesuffix("s") for word in _words(gate.name) if PARTS.fullmatch(word)}


def _common(parts: set[str], text: str) -> bool:
    return bool(parts & {word.removesuffix("s") for word in _words(text)})


def _telling(text: str) -> set[str]:
    return {word for word in _words(text) if word not in COMMON and len(word) > 2}


def _shares(gate: GateSpec, text: str) -> bool:
    """Whether all that a gate's name says stands in a text."""
    said = _telling(gate.name)
    return bool(said) and said <= _telling(text)


def _requirements(spec: ProjectSpec, gate: GateSpec) -> bool:
    return any(_shares(gate, text) for text in spec.requirements)


def _places(tasks: Named) -> str:
    names = ", ".join(task_id for task_id, _, _ in tasks[:20]) + (", …" if len(tasks) > 20 else "")
    return f"the phases are: {', '.join(PHASES)}" + (f"; the tasks: {names}" if names else "")
